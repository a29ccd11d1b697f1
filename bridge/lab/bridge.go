package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"lanekeeper/bridge/lab/postgres"
)

// PublicAddress is where Twilio believes the bridge to be. It resolves nowhere; signatures are made over it.
const PublicAddress = "https://lanes.example.net"

// BridgeOptions choose what the bridge runs on; the zero value is SQLite, with nothing in between and without WhatsApp.
type BridgeOptions struct {
	Postgres bool
	Database string // URI of a PostgreSQL database, "" for a fresh one
	Proxy    *Proxy // between the bridge and the homeserver
	// WhatsApp is the YAML of the config's section of that name. It is called when the bridge's addresses are known and
	// before it starts, so that a stand-in for Twilio can be told where the webhooks are.
	WhatsApp func(*Bridge) string
	// Permissions are lines of YAML that are added to the section of that name, each indented by two blanks.
	Permissions string
	Extra       string // YAML that is added to the config at top level
}

// Bridge is the product's own binary in a subprocess, with a config, a registration and a database of its own.
type Bridge struct {
	URL              string // where it listens, and where the homeserver reaches it
	Dir              string // its working directory
	Config           string // path of its config
	DatabaseType     string // sqlite3 or postgres
	Database         string // file or URI
	ASToken, HSToken string

	t      T
	hs     *Homeserver
	binary string
	name   string // of the bot
	port   int
	env    []string

	mu      sync.Mutex // KillPoints start it again from another goroutine
	current *process
}

func (b *Bridge) process() *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

// PrepareBridge builds and configures a bridge and leaves the rest to the test.
func PrepareBridge(t T, hs *Homeserver, o BridgeOptions) *Bridge {
	t.Helper()
	return prepareBridge(t, hs, o, seat{name: "lanekeeper", port: freePort(t), asToken: "generate", hsToken: "generate"})
}

func prepareBridge(t T, hs *Homeserver, o BridgeOptions, at seat) *Bridge {
	t.Helper()
	b := &Bridge{t: t, hs: hs, binary: Binary(t), Dir: t.TempDir(), port: at.port, name: at.name, ASToken: at.asToken, HSToken: at.hsToken}
	b.URL = fmt.Sprintf("http://127.0.0.1:%d", b.port)
	b.Config = filepath.Join(b.Dir, "config.yaml")
	b.DatabaseType, b.Database = "sqlite3", filepath.Join(b.Dir, "lanekeeper.db")
	switch {
	case o.Database != "":
		b.DatabaseType, b.Database = "postgres", o.Database
	case o.Postgres:
		b.DatabaseType, b.Database = "postgres", postgres.Database(t)
	}
	address := hs.URL
	if o.Proxy != nil {
		address = o.Proxy.URL
	}
	config := fmt.Sprintf(`homeserver: {address: %q, domain: %s}
appservice:
  {address: %q, public_address: %q, hostname: 127.0.0.1, port: %d, id: %[6]s, bot: {username: %[6]s}, username_template: "%[6]s_{{.}}", as_token: %[7]q, hs_token: %[8]q}
database: {type: %[9]s, uri: %[10]q}
permissions:
  "*": none
  %[2]s: user
  "@olga%[11]s:%[2]s": ops
  "@root%[11]s:%[2]s": superadmin
  "@stranger%[11]s:%[2]s": none
`, address, hs.Domain, b.URL, PublicAddress, b.port, b.name, b.ASToken, b.HSToken, b.DatabaseType, b.Database, at.suffix)
	if o.Permissions != "" {
		config += strings.TrimRight(o.Permissions, "\n") + "\n"
	}
	if o.WhatsApp != nil {
		section := strings.TrimSpace(o.WhatsApp(b))
		config += "whatsapp:\n  " + strings.ReplaceAll(section, "\n", "\n  ") + "\n"
	}
	if !strings.Contains(o.Extra, "limits:") { // people in tests are quicker than people
		config += "limits: {open_handoffs: 1000, commands_per_minute: 1000, words_per_minute: 1000}\n"
	}
	if err := os.WriteFile(b.Config, []byte(config+o.Extra), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.cleanup)
	return b
}

func (b *Bridge) cleanup() {
	if strings.Contains(b.Log(), "WARNING: DATA RACE") {
		b.t.Error("the bridge has a data race")
	}
	if b.t.Failed() && b.process() != nil {
		b.t.Logf("the bridge's log:\n%s\nwhat it was at:\n%s", b.LogTail(60), b.stuck())
	}
	b.process().kill9()
}

// Another is a second process with the same config and database, which is not started yet: a standby. It listens where the
// first one does, once it can, or at an address of its own.
func (b *Bridge) Another(ownAddress bool) *Bridge {
	b.t.Helper()
	o := &Bridge{
		URL: b.URL, Dir: b.t.TempDir(), Config: b.Config, DatabaseType: b.DatabaseType, Database: b.Database,
		ASToken: b.ASToken, HSToken: b.HSToken, t: b.t, hs: b.hs, binary: b.binary, name: b.name, port: b.port,
	}
	if ownAddress {
		o.port = freePort(b.t)
		o.URL = fmt.Sprintf("http://127.0.0.1:%d", o.port)
		o.env = []string{fmt.Sprintf("LANEKEEPER_APPSERVICE_PORT=%d", o.port)}
	}
	b.t.Cleanup(o.cleanup)
	return o
}

// Generate runs -g, which also puts the tokens into the config, and gives the registration.
func (b *Bridge) Generate() string {
	b.t.Helper()
	path := filepath.Join(b.Dir, "registration.yaml")
	if out, code := b.Run("-g", "-c", b.Config, "-r", path); code != 0 {
		b.t.Fatalf("lanekeeper -g ends with %d: %s", code, out)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	var registration struct {
		ASToken string `yaml:"as_token"`
		HSToken string `yaml:"hs_token"`
	}
	if err := yaml.Unmarshal(raw, &registration); err != nil {
		b.t.Fatal(err)
	}
	b.ASToken, b.HSToken = registration.ASToken, registration.HSToken
	return string(raw)
}

// Launch starts it without waiting for anything.
func (b *Bridge) Launch() error {
	p, err := startProcess(b.Dir, "lanekeeper", b.env, b.binary, "-c", b.Config)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = p
	return nil
}

// Start starts it and waits until it says that it is ready.
func (b *Bridge) Start() {
	b.t.Helper()
	if err := b.Launch(); err != nil {
		b.t.Fatal(err)
	}
	b.Ready()
}

// Ready waits until it says that it is ready.
func (b *Bridge) Ready() {
	b.t.Helper()
	if err := b.process().ready(b.t.Context(), b.URL+"/readyz"); err != nil {
		b.t.Fatal(err)
	}
}

// Until waits until the condition holds, for as long as the process is there. It is asked many times: what the process has
// printed, or what it answers, cannot wake anybody.
func (b *Bridge) Until(what string, condition func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), Patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-b.process().done:
			b.t.Fatalf("waiting for %s: it ended with %s:\n%s", what, b.process().cmd.ProcessState, b.LogTail(30))
		case <-ctx.Done():
			b.t.Fatalf("waiting for %s:\n%s", what, b.LogTail(30))
		}
	}
}

// Answers gives the status of GET path, or 0 if nobody answers.
func (b *Bridge) Answers(path string) int {
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.URL+path, nil)
	if err != nil {
		return 0
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// Running tells whether the process is there.
func (b *Bridge) Running() bool { return b.process().running() }

// Stop ends it with SIGTERM; more than ten seconds, or an exit code, is a failure.
func (b *Bridge) Stop() {
	b.t.Helper()
	p := b.process()
	running := p.running()
	if err := p.stop(10 * time.Second); err != nil {
		b.t.Error(err)
	} else if end := p.cmd.ProcessState; running && end.ExitCode() != 0 {
		b.t.Errorf("%s ended with %s after SIGTERM", p.name, end)
	}
}

// Kill9 ends it at once, as a power cut would.
func (b *Bridge) Kill9() { b.process().kill9() }

// Restart stops and starts it.
func (b *Bridge) Restart() {
	b.t.Helper()
	b.Stop()
	b.Start()
}

// Exit waits until it has ended by itself, and gives the exit code.
func (b *Bridge) Exit(ctx context.Context) (code int, err error) {
	p := b.process()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// LogTail is the end of what it printed, over all its starts.
func (b *Bridge) LogTail(lines int) string { return b.process().tail(lines) }

// Log is all that it printed.
func (b *Bridge) Log() string {
	raw, err := os.ReadFile(filepath.Join(b.Dir, "lanekeeper.log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Error(err)
	}
	return string(raw)
}

// Run calls the binary with other arguments, and gives what it printed and its exit code.
func (b *Bridge) Run(args ...string) (out string, code int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Dir, cmd.Env = b.Dir, cleanEnv()
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatalf("lanekeeper %s: %v", strings.Join(args, " "), err)
	}
	return printed.String(), cmd.ProcessState.ExitCode()
}

// Plan is what `lanekeeper plan` prints, and its exit code: 0 nothing to do, 2 changes.
func (b *Bridge) Plan(args ...string) (out string, code int) {
	b.t.Helper()
	return b.Run(append([]string{"plan", "-c", b.Config}, args...)...)
}

// Bot is the bot's Matrix id.
func (b *Bridge) Bot() string { return b.hs.ID(b.name) }

// Ghosts is what the Matrix ids of the bridge's ghosts begin with.
func (b *Bridge) Ghosts() string { return "@" + b.name + "_" }

// PID is the process id of the bridge that runs now.
func (b *Bridge) PID() int { return b.process().cmd.Process.Pid }

// AsBot acts as the bot, behind the bridge's back: it reads any lane's state, and plays the vandal.
func (b *Bridge) AsBot() *Client { return As(b.t, b.hs.URL, b.Bot(), b.ASToken) }
