// Package doctor checks everything that an operator can get wrong, says what to
// do about each, and prints what has to be pasted elsewhere.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
	"lanekeeper/config"
)

// wantUpload is the size of file that people may expect to send, in bytes.
const wantUpload = 25 << 20

// checkTime bounds each single question.
const checkTime = 15 * time.Second

// examination prints what it finds and remembers whether anything failed.
type examination struct {
	cfg    *config.Config
	out    io.Writer
	failed bool
}

// Check looks at everything and reports whether all is well. What could be better
// but works is a warning.
func Check(ctx context.Context, cfg *config.Config, out io.Writer) bool {
	x := &examination{cfg: cfg, out: out}
	for _, sentence := range bridge.Unbuilt(cfg) {
		x.fail("%s", sentence)
	}
	if len(cfg.Policy().Exact("handoff")) == 0 {
		x.warn("permissions makes nobody ops, admin or superadmin by a full Matrix id: nobody is invited to the room of staff.")
	}
	x.homeserver(ctx)
	x.database(ctx)
	x.twilio(ctx)
	x.public(ctx)
	x.paste()
	return !x.failed
}

func (x *examination) ok(format string, args ...any) { x.say("ok  ", format, args...) }
func (x *examination) warn(format string, args ...any) {
	x.say("note", format, args...)
}
func (x *examination) fail(format string, args ...any) {
	x.failed = true
	x.say("FAIL", format, args...)
}
func (x *examination) say(mark, format string, args ...any) {
	fmt.Fprintf(x.out, "%s  %s\n", mark, fmt.Sprintf(format, args...))
}

func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, checkTime)
}

// homeserver: does it answer, does it know us, what can it do, does it reach us?
func (x *examination) homeserver(ctx context.Context) {
	c := x.cfg
	hs, err := matrix.New(bridge.MatrixConfig(c), zerolog.Nop())
	if err != nil {
		x.fail("homeserver.address: %v.", err)
		return
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	if !x.reachable(ctx, hs) {
		return
	}
	if !c.Registered() {
		x.fail("There are no tokens yet (appservice.as_token, appservice.hs_token). Run lanekeeper -g, and give the registration to the homeserver.")
		return
	}
	caps, err := hs.Probe(ctx)
	switch {
	case matrix.IsCode(err, "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
		x.fail("The homeserver does not know our token: %v. Give it the registration that lanekeeper -g wrote (below), and restart it.", err)
		return
	case matrix.IsCode(err, "M_FORBIDDEN", "M_EXCLUSIVE"):
		x.fail("The homeserver knows our token, but not for our users: %v. Check homeserver.domain and the names under appservice, run lanekeeper -g again, give the registration to the homeserver (below), and restart it.", err)
		return
	case err != nil:
		x.fail("The homeserver does not let us act: %v. Give it the registration that lanekeeper -g wrote (below), check homeserver.domain, and restart it.", err)
		return
	}
	x.ok("It knows us: %s on %s.", hs.Bot(), software(caps))
	x.capabilities(caps)
	x.acting(ctx, hs)
	x.staffRoom(ctx, hs)
	x.wayBack(ctx, hs, caps)
}

// reachable: does a homeserver answer? What it thinks of our token is another
// question.
func (x *examination) reachable(ctx context.Context, hs *matrix.Client) bool {
	address := x.cfg.Homeserver.Address
	err := hs.Reachable(ctx)
	var answer *matrix.Error
	switch {
	case err == nil, errors.As(err, &answer) && answer.Code != "":
		x.ok("The homeserver answers at %s.", address)
		return true
	case answer != nil && answer.Status == 0:
		x.fail("The homeserver does not answer at %s: %s. Start it, or correct homeserver.address.", address, answer.Message)
	default:
		x.fail("What answers at %s is no homeserver: %v. Correct homeserver.address; if a proxy stands there, start the homeserver behind it.", address, err)
	}
	return false
}

func software(caps matrix.Capabilities) string {
	if caps.Software == "" {
		return "a homeserver that does not name itself"
	}
	return caps.Software
}

func (x *examination) capabilities(caps matrix.Capabilities) {
	switch version := cmp.Or(x.cfg.Rooms.Version, caps.RoomVersion()); {
	case version == "":
		x.fail("It names no stable room version, so it is too old. Update it.")
	case !slices.Contains(caps.RoomVersions, version):
		x.fail("It does not offer room version %s (rooms.version) as stable, but %s. Leave rooms.version empty.", version, strings.Join(caps.RoomVersions, ", "))
	default:
		x.ok("New rooms get version %s.", version)
	}
	if !caps.Devices {
		x.warn("It gives our users no devices (MSC4190). Messages are then looked up before they are sent again; on Synapse this should not happen, so check io.element.msc4190 in the registration.")
	}
	switch {
	case caps.MaxUpload > 0 && caps.MaxUpload < wantUpload:
		x.fail("It takes files of %d MB at most, people expect 25. Set max_upload_size: 25M (Dendrite: media_api.max_file_size_bytes: 26214400).", caps.MaxUpload>>20)
	case caps.MaxUpload > 0:
		x.ok("It takes files of %d MB.", caps.MaxUpload>>20)
	}
	if caps.ForcesEncryption {
		x.fail("It encrypts every room that is made with invitations only, so nobody could write in a lane and the bot could not read in a direct chat. Set encryption_enabled_by_default_for_room_type: \"off\" in homeserver.yaml, and restart it.")
	}
}

// wayBack makes the homeserver call us. While Lanekeeper does not run, we listen
// in its place.
func (x *examination) wayBack(ctx context.Context, hs *matrix.Client, caps matrix.Capabilities) {
	if !caps.Ping {
		x.warn("It cannot be asked to call us back. Nothing depends on that: input is read by the bot's own sync.")
		return
	}
	address := net.JoinHostPort(x.cfg.AppService.Hostname, fmt.Sprint(x.cfg.AppService.Port))
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		server := &http.Server{Handler: hs.Handler(func() {}), ReadHeaderTimeout: checkTime}
		go func() { _ = server.Serve(l) }()
		defer func() { _ = server.Close() }()
	case !errors.Is(err, syscall.EADDRINUSE):
		x.fail("We cannot listen on %s: %v. Correct appservice.hostname and appservice.port.", address, err)
		return
	}
	took, err := hs.Ping(ctx)
	switch {
	case matrix.IsCode(err, "M_BAD_STATUS"):
		x.fail("Where the homeserver looks for us, it is turned away: %v. If Lanekeeper runs there, the homeserver has another hs_token: give it the registration that lanekeeper -g wrote, and restart it. If it is another program, change appservice.port and appservice.address, and run lanekeeper -g again.", err)
	case err != nil:
		x.fail("The homeserver does not reach us: %v. It uses the url of our registration, which should be %s and lead to %s: correct appservice.address and run lanekeeper -g again, or let it through.", err, x.cfg.AppService.Address, address)
	default:
		x.ok("It reaches us (%d ms).", took.Milliseconds())
	}
}

func (x *examination) database(ctx context.Context) {
	ctx, cancel := limited(ctx)
	defer cancel()
	// A Lanekeeper of another version may run: its tables stay as they are.
	db, err := store.Look(ctx, x.cfg.Database.Type, x.cfg.Database.URI, zerolog.Nop())
	if errors.Is(err, store.ErrEmpty) {
		db, err = store.Open(ctx, x.cfg.Database.Type, x.cfg.Database.URI, zerolog.Nop())
	}
	if errors.Is(err, store.ErrSchema) {
		x.fail("%v.", err)
		return
	}
	if err == nil {
		defer db.Close()
		unfenced := queue.New(db, queue.System{}, zerolog.Nop()) // we own nothing
		err = (&store.Store{DB: db, Queue: unfenced}).SetMeta(ctx, "checked", time.Now().UTC().Format(time.RFC3339))
	}
	if err != nil {
		x.fail("%s", bridge.DatabaseSentence(x.cfg, err))
		return
	}
	x.ok("The database can be written (%s).", x.cfg.Database.Type)
}

func (x *examination) twilio(ctx context.Context) {
	if !x.cfg.WhatsApp.Enabled {
		x.warn("WhatsApp is off (whatsapp.enabled): questions go to the super-admin room only.")
		return
	}
	client, err := whatsapp.New(bridge.TwilioConfig(x.cfg))
	if err != nil {
		x.fail("%v.", err)
		return
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	account, err := client.FetchAccount(ctx)
	var refused *whatsapp.Error
	switch {
	case errors.As(err, &refused) && refused.Class == whatsapp.Account:
		x.fail("Twilio does not let us in: %s. Check whatsapp.account_sid, auth_token, api_key and api_secret against the Twilio console.", refused.Sentence())
		return
	case err != nil:
		x.fail("Twilio cannot be asked: %v. Check that this computer may reach %s.", err, cmp.Or(x.cfg.WhatsApp.APIBaseURL, "https://api.twilio.com"))
		return
	case account.Status != "active":
		x.fail("The Twilio account is %s. Activate it in the Twilio console.", account.Status)
	default:
		x.ok("Twilio lets us in (%s account).", account.Type)
	}
	if account.Type == "Trial" {
		x.warn("It is a trial account: only verified numbers, 50 messages a day.")
	}
	if len(x.cfg.WhatsApp.Agents) == 0 {
		x.warn("Nobody answers on WhatsApp: whatsapp.agents is empty.")
	}
	if x.cfg.WhatsApp.TemplateSID == "" {
		x.warn("There is no template (whatsapp.template_sid): an agent who has not written for 24 hours cannot be reached.")
	}
}

// public asks for our own public address from here. It may be out of reach from
// here and fine from outside, so that is no failure.
func (x *examination) public(ctx context.Context) {
	address := x.cfg.AppService.PublicAddress
	if address == "" {
		return
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	probe := address + bridge.PublicAlive
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, probe, nil)
	if err != nil {
		x.fail("appservice.public_address: %v.", err)
		return
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		x.warn("The public address cannot be reached from this computer (%v). Open %s from outside: while Lanekeeper runs it must say ok.", errors.Unwrap(err), probe)
		return
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 10))
	if answer.StatusCode != http.StatusOK || string(said) != "ok\n" {
		x.warn("The public address does not lead to us: %s answers %s. While Lanekeeper runs it must say ok: check the proxy before it.", probe, answer.Status)
		return
	}
	x.ok("The public address %s leads to us.", address)
}
