package lab

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Kind names a homeserver implementation.
type Kind string

const (
	KindSynapse  Kind = "synapse"
	KindDendrite Kind = "dendrite"
)

// Options of a homeserver; the zero value is a server without an application service.
type Options struct {
	Registration string // YAML of an application service's registration
	RoomVersion  string // default room version; empty: the server's own (Synapse 12, Dendrite 10)
	Postgres     bool   // Synapse: on PostgreSQL instead of SQLite; Dendrite is always on SQLite
	Extra        string // YAML that is added to the server's config at top level
	PythonPath   string // Synapse: directory of the modules that Extra names

	// For whoever shows the system to people; tests leave them empty.
	Program string // Dendrite's, or a Python that has Synapse, instead of the one in the cache
	Domain  string // instead of Domain
	Port    int    // instead of any that is free
}

// Homeserver is a real homeserver in a subprocess, in a directory of its own.
type Homeserver struct {
	Kind   Kind
	URL    string // http://127.0.0.1:port, the same after a Restart
	Domain string
	Dir    string

	t       T
	options Options
	port    int
	secret  string // with which people are registered; both servers offer Synapse's admin API for it
	argv    []string
	env     []string
	health  string                            // path that answers 200 when it is ready
	config  func(registrations string) string // the server's config with this YAML list of files

	registrations []string // YAML
	shared        bool     // other tests use it at the same time

	mu      sync.Mutex // a test may kill it and start it again from another goroutine
	current *process
}

func (hs *Homeserver) process() *process {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.current
}

// Synapse starts a Synapse. In -short runs the test is skipped: it needs two seconds to start.
func Synapse(t T, o Options) *Homeserver {
	t.Helper()
	return started(Prepare(t, KindSynapse, o))
}

// Dendrite starts a Dendrite.
func Dendrite(t T, o Options) *Homeserver {
	t.Helper()
	return started(Prepare(t, KindDendrite, o))
}

func started(hs *Homeserver) *Homeserver {
	hs.t.Helper()
	hs.Start()
	return hs
}

// Prepare makes the directory and keys and reserves the port, so that a bridge can be configured and its registration
// added before the server starts.
func Prepare(t T, kind Kind, o Options) *Homeserver {
	t.Helper()
	hs := &Homeserver{Kind: kind, Domain: o.Domain, Dir: t.TempDir(), t: t, options: o, port: o.Port, secret: rand.Text()}
	if hs.Domain == "" {
		hs.Domain = Domain
	}
	if hs.port == 0 {
		hs.port = freePort(t)
	}
	if o.Registration != "" {
		hs.SetRegistration(o.Registration)
	}
	hs.URL = fmt.Sprintf("http://127.0.0.1:%d", hs.port)
	switch kind {
	case KindSynapse:
		prepareSynapse(t, hs)
	case KindDendrite:
		prepareDendrite(t, hs)
	default:
		t.Fatalf("no homeserver is called %q", kind)
	}
	t.Cleanup(func() {
		hs.process().kill9()
		if t.Failed() {
			t.Logf("%s's log:\n%s", kind, hs.LogTail(40))
		}
	})
	return hs
}

// SetRegistration gives it the registration of an application service; it is read at the next start.
func (hs *Homeserver) SetRegistration(registration string) { hs.registrations = []string{registration} }

// Start starts the server and waits until it answers.
func (hs *Homeserver) Start() {
	hs.t.Helper()
	hs.own()
	hs.configure()
	if err := hs.Launch(); err != nil {
		hs.t.Fatal(err)
	}
	hs.Ready()
}

// Ready waits until it answers.
func (hs *Homeserver) Ready() {
	hs.t.Helper()
	if err := hs.process().ready(hs.t.Context(), hs.URL+hs.health); err != nil {
		hs.t.Fatal(err)
	}
}

// Launch starts a server that ran before, without waiting for anything.
func (hs *Homeserver) Launch() error {
	p, err := startProcess(hs.Dir, string(hs.Kind), hs.env, hs.argv...)
	if err != nil {
		return err
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.current = p
	return nil
}

func (hs *Homeserver) configure() {
	hs.t.Helper()
	hs.write("config.yaml", hs.config(hs.writeRegistrations())+hs.options.Extra)
}

// Running tells whether the process is there.
func (hs *Homeserver) Running() bool { return hs.process().running() }

// own ends a test that would take a homeserver away from others.
func (hs *Homeserver) own() {
	hs.t.Helper()
	if hs.shared {
		hs.t.Fatal("this homeserver is shared with other tests: ask for one of your own (NewWorld)")
	}
}

// Stop ends it as an operator would; its data stay.
func (hs *Homeserver) Stop() {
	hs.t.Helper()
	hs.own()
	if err := hs.process().stop(15 * time.Second); err != nil {
		hs.t.Error(err)
	}
}

// Kill9 ends it without a warning. Dendrite's internal queue is in memory here: what it had not handed to its own /sync yet
// never comes.
func (hs *Homeserver) Kill9() {
	hs.own()
	hs.process().kill9()
}

// Restart stops and starts it, at the same address.
func (hs *Homeserver) Restart() {
	hs.t.Helper()
	hs.Stop()
	hs.Start()
}

// Ended is closed when the process that runs now has ended.
func (hs *Homeserver) Ended() <-chan struct{} { return hs.process().done }

// LogTail is the end of what the server printed.
func (hs *Homeserver) LogTail(lines int) string { return hs.process().tail(lines) }

// ID is the Matrix id of a localpart on this server.
func (hs *Homeserver) ID(localpart string) string { return "@" + localpart + ":" + hs.Domain }

func (hs *Homeserver) write(name, content string) {
	hs.t.Helper()
	if err := os.WriteFile(filepath.Join(hs.Dir, name), []byte(content), 0o600); err != nil {
		hs.t.Fatal(err)
	}
}

// Password is what everybody registered by Register may log in with.
func Password(name string) string { return name + "-demo" } // 8 characters at least, for Dendrite

// Register makes a user and gives a client that acts for them; the client does not sync yet.
func (hs *Homeserver) Register(name string) *Client { return hs.register(hs.t, name, name) }

func (hs *Homeserver) register(t T, name, displayName string) *Client {
	t.Helper()
	url := hs.URL + "/_synapse/admin/v1/register"
	var nonce struct {
		Nonce string `json:"nonce"`
	}
	if err := call(t.Context(), http.MethodGet, url, nil, &nonce); err != nil {
		t.Fatalf("registering %s: %v", name, err)
	}
	mac := hmac.New(sha1.New, []byte(hs.secret))
	mac.Write([]byte(strings.Join([]string{nonce.Nonce, name, Password(name), "notadmin"}, "\x00")))
	var user struct {
		UserID string `json:"user_id"`
		Token  string `json:"access_token"`
	}
	err := call(t.Context(), http.MethodPost, url, map[string]any{
		"nonce": nonce.Nonce, "username": name, "displayname": displayName, "password": Password(name), "admin": false,
		"mac": hex.EncodeToString(mac.Sum(nil)),
	}, &user)
	if err != nil {
		t.Fatalf("registering %s: %v", name, err)
	}
	return NewClient(t, hs.URL, user.UserID, user.Token)
}

// call is one JSON request outside of any Client.
func call(ctx context.Context, method, url string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, url, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(answer)
}
