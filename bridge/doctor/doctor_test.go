package doctor

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge"
	"lanekeeper/bridge/matrix"
	"lanekeeper/config"
)

func init() { pauses = []time.Duration{time.Millisecond, time.Millisecond} }

// homeserver answers as one that knows us, but for the paths in wrong, which get
// a status and a body.
// A path under "once " is wrong the first time only.
func homeserver(t *testing.T, wrong map[string]string) string {
	t.Helper()
	var asked sync.Map
	right := map[string]string{
		"/_matrix/client/versions":                      `{"versions": ["v1.7", "v1.11"]}`,
		"/_matrix/client/v3/register":                   `{"user_id": "@lanekeeper:lab.test"}`,
		"/_matrix/client/v3/capabilities":               `{"capabilities": {"m.room_versions": {"default": "10", "available": {"10": "stable", "12": "stable"}}}}`,
		"/_matrix/client/v1/media/config":               `{"m.upload.size": 52428800}`,
		"/_matrix/client/v1/appservice/lanekeeper/ping": `{"duration_ms": 7}`,
		"/_matrix/client/v3/sync":                       `{"next_batch": "s1"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := 200, cmp.Or(right[r.URL.Path], "{}")
		said, ok := wrong[r.URL.Path]
		if once, first := wrong["once "+r.URL.Path]; first {
			if _, again := asked.LoadOrStore(r.URL.Path, true); !again {
				said, ok = once, true
			}
		}
		if ok {
			_, _ = fmt.Sscanf(said, "%d", &status)
			body = strings.TrimPrefix(said, fmt.Sprint(status))
		}
		if date, ok := wrong["Date"]; ok {
			w.Header().Set("Date", date)
		}
		if asked, _ := io.ReadAll(r.Body); strings.Contains(string(asked), "lanekeeper_doctor") && wrong["ghosts"] != "" {
			status, body = 400, `{"errcode": "M_EXCLUSIVE", "error": "Invalid user localpart for this application service."}`
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What an operator gets wrong is named, with what to do; nothing else is blamed
// for it.
func TestFindings(t *testing.T) {
	const versions, ping, upload = "/_matrix/client/versions", "/_matrix/client/v1/appservice/lanekeeper/ping", "/_matrix/client/v1/media/config"
	unknown := `401{"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed."}`
	for name, c := range map[string]struct {
		wrong  map[string]string // of the homeserver
		change func(*config.Config)
		fails  string // what the one failure begins with; empty: all is well
	}{
		"all well":            {},
		"no registration yet": {map[string]string{versions: unknown}, func(c *config.Config) { c.AppService.ASToken = config.Generate }, "There are no tokens yet (appservice.as_token, appservice.hs_token). → Run lanekeeper -g -c my.yaml -r reg.yaml, and"},
		"wrong token":         {map[string]string{versions: unknown, "/_matrix/client/v3/register": unknown}, nil, "The homeserver does not know our token. → Give it the registration"},
		"wrong domain":        {map[string]string{"/_matrix/client/v3/register": `403{"errcode": "M_EXCLUSIVE", "error": "no"}`}, nil, "The homeserver knows our token, but not for our users: "},
		"not there":           {nil, func(c *config.Config) { c.Homeserver.Address = "http://127.0.0.1:1" }, "The homeserver does not answer at http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused. → Start it"},
		"15: https for http": {nil, func(c *config.Config) {
			c.Homeserver.Address = strings.Replace(c.Homeserver.Address, "http:", "https:", 1)
		},
			"The homeserver does not answer at https://127.0.0.1:PORT: it speaks http, not https. → Write http://127.0.0.1:PORT in homeserver.address"},
		"15: http for https": {nil, func(c *config.Config) { c.Homeserver.Address = "tls" },
			"What answers at http://127.0.0.1:PORT does not understand us (HTTP 400: Bad Request). → If it speaks https, write https://127.0.0.1:PORT in homeserver.address"},
		"something else":        {map[string]string{versions: "404hello"}, nil, "What answers at "},
		"U19: a web page":       {map[string]string{versions: "200<!doctype html><title>Welcome</title>"}, nil, "What answers at "},
		"U19: another service":  {map[string]string{versions: `200{"status": "ok"}`}, nil, "What answers at "},
		"W4: forced encryption": {map[string]string{versions: `200{"versions": ["v1.11"], "unstable_features": {"io.element.e2ee_forced.private": true}}`}, nil, "It encrypts every room"},
		"W5: other ghosts":      {map[string]string{"ghosts": "others"}, nil, "The registration that the homeserver has read does not hold the names that appservice.username_template gives (lanekeeper_…)"},
		"W5: no aliases": {map[string]string{"/_matrix/client/v3/directory/room/#lanekeeper_doctor:lab.test": `400{"errcode": "M_EXCLUSIVE", "error": "This application service has not reserved this kind of alias"}`}, nil,
			"The registration that the homeserver has read does not hold the aliases of our rooms (#lanekeeper_…)"},
		"U11: clock behind":      {map[string]string{"Date": time.Now().Add(-20 * time.Minute).UTC().Format(http.TimeFormat)}, nil, "The homeserver's clock is 20m"},
		"U11: clock ahead":       {map[string]string{"Date": time.Now().Add(25 * time.Hour).UTC().Format(http.TimeFormat)}, nil, "The homeserver's clock is 2"},
		"U12: bot is the sender": {map[string]string{"/_matrix/client/v3/sync": `500{"errcode": "M_UNKNOWN", "error": "Internal server error"}`}, nil, "The bot @lanekeeper:lab.test cannot read"},
		"strange room version":   {nil, func(c *config.Config) { c.Rooms.Version = "99" }, "It does not offer room version 99 (rooms.version) as stable, but 10, 12. → Leave rooms.version empty."},
		"no room version":        {map[string]string{"/_matrix/client/v3/capabilities": "200{}"}, nil, "It names no stable room version, so it is too old."},
		"small files":            {map[string]string{upload: `200{"m.upload.size": 10485760}`}, nil, "It takes files of 10 MB at most, people expect 25."},
		"wrong hs_token":         {map[string]string{ping: `502{"errcode": "M_BAD_STATUS", "error": "HTTP 403 Forbidden"}`}, nil, "Where the homeserver looks for us, it is turned away: "},
		"15: a kept connection":  {map[string]string{"once " + ping: `502{"errcode": "M_CONNECTION_FAILED", "error": "AlreadyCancelled: Tried to cancel an already-cancelled event"}`}, nil, ""},
		"no way back":            {map[string]string{ping: `502{"errcode": "M_CONNECTION_FAILED", "error": "refused"}`}, nil, "The homeserver does not reach us: "},
		"nowhere to listen":      {nil, func(c *config.Config) { c.AppService.Hostname = "192.0.2.1" }, "We cannot listen on 192.0.2.1:0: "},
		"no directory":           {nil, func(c *config.Config) { c.Database.URI = filepath.Join(c.Database.URI, "in", "a.db") }, "Cannot use the database (database.uri): "},
		"no Twilio":              {nil, func(c *config.Config) { c.WhatsApp.APIBaseURL = "http://127.0.0.1:1" }, "The stand-in for Twilio at http://127.0.0.1:1 (whatsapp.api_base_url) does not answer: "},
		"paused template":        {nil, func(c *config.Config) { c.WhatsApp.APIBaseURL = "paused" }, "WhatsApp has not approved the template (it is paused): "},
		"not let in":             {nil, func(c *config.Config) { c.WhatsApp.APIBaseURL = "lame" }, "Twilio does not let us in: Twilio does not accept the credentials (HTTP 401). → Check whatsapp.account_sid"},
		"not built":              {nil, func(c *config.Config) { c.Gate.Enabled = true }, "gate.enabled is true, but"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Homeserver.Address, cfg.Homeserver.Domain = homeserver(t, c.wrong), "lab.test"
			cfg.AppService.ASToken, cfg.AppService.HSToken, cfg.AppService.Port = "as", "hs", 0
			cfg.Database.URI = filepath.Join(t.TempDir(), "lane.db")
			if c.change != nil {
				c.change(cfg)
			}
			if w := &cfg.WhatsApp; w.APIBaseURL != "" {
				w.Enabled, w.AccountSID, w.AuthToken = true, "AC0123456789abcdef0123456789abcdef", "token"
				cfg.AppService.PublicAddress = "http://127.0.0.1:1"
				account := "/2010-04-01/Accounts/" + w.AccountSID + ".json"
				switch w.APIBaseURL {
				case "lame":
					w.APIBaseURL = homeserver(t, map[string]string{account: "401"})
				case "paused":
					w.TemplateSID = "HX0123456789abcdef0123456789abcdef"
					w.APIBaseURL = homeserver(t, map[string]string{account: `200{"status": "active"}`,
						"/v1/Content/" + w.TemplateSID + "/ApprovalRequests": `200{"whatsapp": {"name": "waiting", "status": "paused"}}`})
				}
			}
			if cfg.Homeserver.Address == "tls" {
				cfg.Homeserver.Address = overTLS(t)
			}
			well, fails, out := examine(t, cfg)
			switch {
			case c.fails == "":
				if !well || len(fails) > 0 || !strings.HasSuffix(out, "\nNothing to fix, "+notes(out)+".\n") {
					t.Errorf("it fails:\n%s", out)
				}
			case well || len(fails) != 1 || !strings.HasPrefix(fails[0], c.fails) || strings.Contains(fails[0], "..") || !strings.HasSuffix(out, "\n1 thing to fix, "+notes(out)+".\n"):
				t.Errorf("want one failure, %q; got:\n%s", c.fails, out)
			}
		})
	}
}

var port = regexp.MustCompile(`:\d{4,5}\b`)

// examine gives what does not work, each with what to do behind an arrow, and all that is printed.
func examine(t *testing.T, cfg *config.Config) (well bool, fails []string, out string) {
	t.Helper()
	var printed bytes.Buffer
	var last *string
	well = Check(t.Context(), cfg, Files{Config: "my.yaml", Registration: "reg.yaml"}, &printed)
	for line := range strings.Lines(printed.String()) {
		said, ok := strings.CutPrefix(line, "FAIL  ")
		switch fix, more := strings.CutPrefix(line, "     → "); {
		case ok:
			fails = append(fails, port.ReplaceAllString(strings.TrimSpace(said), ":PORT"))
			last = &fails[len(fails)-1]
		case more && last != nil:
			*last += " → " + port.ReplaceAllString(strings.TrimSpace(fix), ":PORT")
			last = nil
		default:
			last = nil
		}
	}
	return well, fails, printed.String()
}

// notes is how many notes there are, in words.
func notes(out string) string {
	if n := strings.Count(out, "\nnote  "); n != 1 {
		return fmt.Sprint(n, " notes")
	}
	return "1 note"
}

// overTLS is the address of a homeserver that speaks https, as http.
func overTLS(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "https:", "http:", 1)
}

// 15: a name that nobody knows is to be corrected, not started.
func TestUnknownName(t *testing.T) {
	err := fmt.Errorf("get: %w", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "matrx.lab.test", IsNotFound: true}})
	why, fix := unreached(err, "http://matrx.lab.test", "homeserver.address")
	if why != "there is no computer called matrx.lab.test" || fix != "Correct the name in homeserver.address." {
		t.Errorf("%s: %s", why, fix)
	}
}

// While the homeserver is down, all that does not need it is looked at all the same.
func TestGoesOn(t *testing.T) {
	cfg := config.Default()
	cfg.Homeserver.Address, cfg.Homeserver.Domain = "http://127.0.0.1:1", "lab.test"
	cfg.AppService.Hostname = "192.0.2.1"
	cfg.Database.URI = filepath.Join(t.TempDir(), "no", "lane.db")
	_, fails, out := examine(t, cfg)
	for _, words := range []string{"We cannot listen on 192.0.2.1", "There are no tokens yet", "The homeserver does not answer", "Cannot use the database"} {
		if !slices.ContainsFunc(fails, func(f string) bool { return strings.HasPrefix(f, words) }) {
			t.Errorf("%q is not said:\n%s", words, out)
		}
	}
	if !strings.Contains(out, "\n4 things to fix, ") {
		t.Errorf("the verdict: %s", out)
	}
}

// Where Lanekeeper should be is asked: is it there, is somebody else, or is doctor in its place.
func TestWhoListens(t *testing.T) {
	for body, want := range map[string]string{"ok\n": "\nok    Lanekeeper is running (127.0.0.1:PORT).", "welcome": "\nFAIL  Another program listens on 127.0.0.1:PORT."} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, body) }))
		t.Cleanup(other.Close)
		cfg := config.Default()
		cfg.Homeserver.Address = "http://127.0.0.1:1"
		cfg.AppService.Port = other.Listener.Addr().(*net.TCPAddr).Port
		cfg.Database.URI = filepath.Join(t.TempDir(), "lane.db")
		if _, _, out := examine(t, cfg); !strings.Contains(port.ReplaceAllString(out, ":PORT"), want) {
			t.Errorf("want %q: %s", want, out)
		}
	}
	// In its place doctor answers at the public address, too, which leads here.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Homeserver.Address = "http://127.0.0.1:1"
	cfg.AppService.Port = l.Addr().(*net.TCPAddr).Port
	cfg.AppService.PublicAddress = "http://" + l.Addr().String() + "/lanes"
	cfg.Database.URI = filepath.Join(t.TempDir(), "lane.db")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, out := examine(t, cfg)
	for _, want := range []string{"\nnote  Lanekeeper is not running", "\nok    The public address " + cfg.AppService.PublicAddress + " leads to us."} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q: %s", want, out)
		}
	}
}

// What is to be pasted stands above what was found, with the path of the registration that is there.
func TestPaste(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg := config.Default()
	cfg.Homeserver.Address = "http://127.0.0.1:1"
	_, _, out := examine(t, cfg)
	if !strings.Contains(out, "    app_service_config_files:\n      - /path/to/registration.yaml ") || strings.Index(out, "app_service_config_files") > strings.Index(out, "FAIL") {
		t.Errorf("got %s", out)
	}
	if err := os.WriteFile("reg.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, out = examine(t, cfg); !strings.Contains(out, "\n      - "+filepath.Join(dir, "reg.yaml")+"\n") {
		t.Errorf("got %s", out)
	}
}

// The public address is asked for below /_lanekeeper/, all that a proxy must pass on.
func TestPublicAddress(t *testing.T) {
	for body, want := range map[string]string{
		"200ok\n":       "ok    The public address ",
		"200welcome":    "note  The public address does not lead to us: ",
		"502no gateway": "note  The public address does not lead to us: ",
	} {
		var out bytes.Buffer
		x := &examination{cfg: config.Default(), out: &out}
		x.cfg.AppService.PublicAddress = homeserver(t, map[string]string{"/_lanekeeper/livez": body})
		if x.public(t.Context()); !strings.HasPrefix(out.String(), want) || x.fails > 0 {
			t.Errorf("%s: got %q", body, &out)
		}
	}
}

// R17: whoever can come into an operator's own room of staff, or read there, is named.
func TestRoomOfStaff(t *testing.T) {
	const room = "!staff:lab.test"
	state := func(typ, key, content string) string {
		return fmt.Sprintf(`{"type": %q, "state_key": %q, "event_id": "$1", "sender": "@root:lab.test", "content": %s}`, typ, key, content)
	}
	private := state("m.room.join_rules", "", `{"join_rule": "invite"}`)
	for name, c := range map[string]struct{ state, said string }{
		"all well":   {private + "," + state("m.room.member", "@root:lab.test", `{"membership": "join"}`) + "," + state("m.room.member", "@old:lab.test", `{"membership": "leave"}`), ""},
		"public":     {state("m.room.join_rules", "", `{"join_rule": "public"}`), "FAIL  The room of rooms.super_admin can be entered without an invitation"},
		"readable":   {private + "," + state("m.room.history_visibility", "", `{"history_visibility": "world_readable"}`), "FAIL  The room of rooms.super_admin can be read by anybody"},
		"guests":     {private + "," + state("m.room.guest_access", "", `{"guest_access": "can_join"}`), "FAIL  The room of rooms.super_admin lets guests in"},
		"encrypted":  {private + "," + state("m.room.encryption", "", `{"algorithm": "m.megolm.v1.aes-sha2"}`), "FAIL  The room of rooms.super_admin is encrypted"},
		"a lane":     {private + "," + state("lanekeeper.lane", "", `{"project": "p", "kind": "customer"}`), "FAIL  The room of rooms.super_admin is a room of a project (customer)"},
		"a stranger": {private + "," + state("m.room.member", "@eve:lab.test", `{"membership": "invite"}`), "note  The room of rooms.super_admin has members who are not ops, admin or superadmin by their full Matrix id, and they read all words of handoffs: @eve:lab.test."},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Homeserver.Domain, cfg.Rooms.SuperAdmin = "lab.test", room
			cfg.Permissions["@root:lab.test"] = "superadmin"
			cfg.AppService.ASToken, cfg.AppService.HSToken = "as", "hs"
			cfg.Homeserver.Address = homeserver(t, map[string]string{
				"/_matrix/client/v3/joined_rooms":             `200{"joined_rooms": ["` + room + `"]}`,
				"/_matrix/client/v3/rooms/" + room + "/state": "200[" + c.state + "]",
			})
			hs, err := matrix.New(bridge.MatrixConfig(cfg), zerolog.Nop())
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			x := &examination{cfg: cfg, out: &out}
			x.staffRoom(t.Context(), hs)
			if !strings.HasPrefix(out.String(), c.said) || c.said == "" && out.Len() > 0 {
				t.Errorf("want %q, got %q", c.said, &out)
			}
		})
	}
}
