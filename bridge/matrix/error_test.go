package matrix_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/matrix"
)

// config is how tests reach a homeserver of theirs.
func config(address, domain string) matrix.Config {
	return matrix.Config{
		Address: address, Domain: domain, ASToken: "as-secret", HSToken: "hs-secret",
		BotLocalpart: "lanekeeper", BotName: "Lanekeeper", GhostPrefix: "lanekeeper_", ID: "lanekeeper",
	}
}

// quiet is a log that nobody reads.
var quiet = zerolog.Nop()

func newClient(t *testing.T, address, domain string) *matrix.Client {
	t.Helper()
	c, err := matrix.New(config(address, domain), quiet)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering is a homeserver that gives one answer to everything, and counts.
func answering(t *testing.T, answer http.HandlerFunc) (*matrix.Client, *int) {
	t.Helper()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL, "lanes.test"), &calls
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    int
		header    string // Retry-After
		body      string
		temporary bool
		after     time.Duration
		code      string
	}{
		{"no right", 403, "", `{"errcode":"M_FORBIDDEN","error":"no"}`, false, 0, "M_FORBIDDEN"},
		{"not found", 404, "", `{"errcode":"M_NOT_FOUND","error":"no"}`, false, 0, "M_NOT_FOUND"},
		{"too large", 413, "", `{"errcode":"M_TOO_LARGE"}`, false, 0, "M_TOO_LARGE"},
		{"gate down", 403, "", `{"errcode":"M_UNKNOWN","error":"Failed to connect to antispam server"}`, true, 0, "M_UNKNOWN"},
		{"gate broken", 403, "", `{"errcode":"M_UNKNOWN","error":"Unexpected response from antispam server"}`, true, 0, "M_UNKNOWN"},
		{"unknown refusal", 403, "", `{"errcode":"M_UNKNOWN","error":"The room does not like you"}`, false, 0, "M_UNKNOWN"},
		{"limited", 429, "", `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}`, true, 1500 * time.Millisecond, "M_LIMIT_EXCEEDED"},
		{"limited, header", 429, "7", `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}`, true, 7 * time.Second, "M_LIMIT_EXCEEDED"},
		{"limited for long", 429, "", `{"retry_after_ms":1e300}`, true, 0, ""},
		{"limited for ever", 429, "99999999", ``, true, time.Hour, ""},
		{"limited, odd", 429, "soon", `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":"x"}`, true, 0, "M_LIMIT_EXCEEDED"},
		{"broken", 500, "", `{"errcode":"M_UNKNOWN","error":"Internal server error"}`, true, 0, "M_UNKNOWN"},
		{"proxy", 502, "3", `<html>Bad Gateway</html>`, true, 3 * time.Second, ""},
		{"wrong token", 401, "", `{"errcode":"M_UNKNOWN_TOKEN","error":"no"}`, true, 0, "M_UNKNOWN_TOKEN"},
		{"device gone", 400, "", `{"errcode":"M_UNKNOWN_DEVICE","error":"no"}`, true, 0, "M_UNKNOWN_DEVICE"},
		{"user gone", 403, "", `{"errcode":"M_FORBIDDEN","error":"Application service has not registered this user (@a:b)"}`, true, 0, "M_FORBIDDEN"},
		{"user gone, Dendrite", 403, "", `{"errcode":"M_FORBIDDEN","error":"Forbidden: appservice has not registered this user"}`, true, 0, "M_FORBIDDEN"},
		{"redirect", 301, "", ``, false, 0, ""},
		{"other JSON", 200, "", `[]`, true, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, calls := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			err := client.Reachable(t.Context())
			if err == nil {
				t.Fatal("it succeeded")
			}
			if matrix.Temporary(err) != c.temporary || matrix.RetryAfter(err) != c.after {
				t.Errorf("temporary %v, after %s: %v", matrix.Temporary(err), matrix.RetryAfter(err), err)
			}
			var e *matrix.Error
			if !errors.As(err, &e) || e.Code != c.code || c.code != "" && !matrix.IsCode(err, "M_OTHER", c.code) {
				t.Errorf("code: %v", err)
			}
			if *calls != 1 {
				t.Errorf("%d calls instead of one", *calls)
			}
		})
	}
}

// A web page where the homeserver should be is no homeserver, and will not become one.
func TestNoHomeserver(t *testing.T) {
	client, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html>Welcome to our hotel</html>`) })
	if err := client.Reachable(t.Context()); !errors.Is(err, matrix.ErrNoHomeserver) || matrix.Temporary(err) {
		t.Error(err)
	}
}

// A homeserver that is away, hangs up or lets wait: the outcome is unknown.
func TestNoAnswer(t *testing.T) {
	hangup, _ := answering(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	cutOff, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, `{"versions":[`)
	})
	for name, client := range map[string]*matrix.Client{
		"hangs up":     hangup,
		"cuts off":     cutOff,
		"not there":    newClient(t, "http://127.0.0.1:1", "lanes.test"),
		"no such name": newClient(t, "http://homeserver.invalid", "lanes.test"),
	} {
		err := client.Reachable(t.Context())
		var e *matrix.Error
		if !errors.As(err, &e) || e.Status != 0 || !matrix.Temporary(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever stops waiting does not learn the outcome.
func TestGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	err := client.Reachable(ctx)
	if !errors.Is(err, context.Canceled) || !matrix.Temporary(err) {
		t.Error(err)
	}
}

// A body that is not JSON is our own mistake and never gets better.
func TestUnsendable(t *testing.T) {
	client, calls := answering(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"versions":["v1.11"],"m.upload.size":1}`)
	})
	if _, err := client.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	*calls = 0
	_, err := client.Send(t.Context(), "", "!room", "m.room.message", "t", map[string]any{"body": make(chan int)})
	if err == nil || matrix.Temporary(err) || *calls != 0 {
		t.Errorf("%v after %d calls", err, *calls)
	}
}

func TestAliasTaken(t *testing.T) {
	for _, err := range []error{&matrix.Error{Status: 400, Code: "M_ROOM_IN_USE"}, &matrix.Error{Status: 409, Code: "M_UNKNOWN"}} {
		if !matrix.AliasTaken(fmt.Errorf("create room: %w", err)) || matrix.Temporary(err) {
			t.Error(err)
		}
	}
	if matrix.AliasTaken(&matrix.Error{Status: 400, Code: "M_UNKNOWN"}) || matrix.AliasTaken(nil) || matrix.Temporary(nil) {
		t.Error("nothing was taken")
	}
}

func TestNew(t *testing.T) {
	for name, change := range map[string]func(*matrix.Config){
		"no address": func(c *matrix.Config) { c.Address = "" },
		"no host":    func(c *matrix.Config) { c.Address = "http://" },
		"a path":     func(c *matrix.Config) { c.Address = "/var/run/socket" },
		"ftp":        func(c *matrix.Config) { c.Address = "ftp://example.org" },
		"no domain":  func(c *matrix.Config) { c.Domain = "" },
		"no token":   func(c *matrix.Config) { c.ASToken = "" },
		"no prefix":  func(c *matrix.Config) { c.GhostPrefix = "" },
	} {
		cfg := config("http://localhost:8008", "lanes.test")
		change(&cfg)
		if _, err := matrix.New(cfg, quiet); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	c := newClient(t, "http://localhost:8008", "lanes.test")
	for user, ours := range map[string]bool{
		"@lanekeeper:lanes.test": true, "@lanekeeper_agent_1:lanes.test": true,
		"@lanekeeper2:lanes.test": false, "@carl:lanes.test": false, "@lanekeeper:lanes.test.evil": false,
		"@lanekeeper:other": false, "lanekeeper:lanes.test": false, "": false,
	} {
		if c.Ours(user) != ours {
			t.Errorf("%q: ours %v", user, !ours)
		}
	}
	if c.Bot() != "@lanekeeper:lanes.test" || c.Alias("lanekeeper_x") != "#lanekeeper_x:lanes.test" {
		t.Error(c.Bot(), c.Alias("lanekeeper_x"))
	}
}
