package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge"
	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/port"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/config"
)

// domain is the homeserver's name; nobody has to resolve it.
const domain = "demo.example"

// The people of the demo, by what they are.
type role struct{ name, what string }

var cast = []role{
	{"carl", "the customer"},
	{"mia", "the project's manager"},
	{"xena", "an expert, freelance"},
	{"root", "super-admin of the platform"},
}

// Dana and Eli answer on WhatsApp.
var (
	dana = emulator.Phone{Number: "+4915100000001", Name: "Dana"}
	eli  = emulator.Phone{Number: "+4915100000002", Name: "Eli"}
)

func id(name string) string    { return "@" + name + ":" + domain }
func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// world is everything that runs, and the people in it.
type world struct {
	stage      *stage
	cfg        *config.Config
	homeserver *lab.Homeserver
	started    chan struct{} // closed when the homeserver answers
	phones     *emulator.Emulator
	page       net.Listener // of the stage, and of Twilio's stand-in
	director   *director
	people     map[string]*lab.Client
	chats      map[string]string // who → their direct chat with the bot
}

// Addresses that are easy to remember, where they are free. Whoever has the page's
// takes the others, too; a demo beside that one takes none of them, as servers begin
// to listen only a while after their ports were chosen.
const (
	homeserverPort = 8008
	bridgePort     = 29340
	pagePort       = 29350
)

func newWorld(s *stage, program server) (*world, error) {
	page, first, err := listen(pagePort)
	if err != nil {
		return nil, err
	}
	hs, err := freePort(homeserverPort, first)
	if err != nil {
		return nil, err
	}
	br, err := freePort(bridgePort, first)
	if err != nil {
		return nil, err
	}
	w := &world{stage: s, started: make(chan struct{}), page: page, director: newDirector(chapters), people: map[string]*lab.Client{}, chats: map[string]string{}}
	if err := s.play(func() {
		w.homeserver = lab.Prepare(s, program.kind, lab.Options{Program: program.path, Domain: domain, Port: hs})
	}); err != nil {
		return nil, err
	}
	w.cfg = w.config(br)
	registration, err := matrix.Registration(bridge.MatrixConfig(w.cfg), w.cfg.AppService.Address, w.cfg.AppService.EphemeralEvents)
	if err != nil {
		return nil, err
	}
	w.homeserver.SetRegistration(string(registration))
	w.phones = w.makePhones(s.ctx)
	var wrong []error
	for _, p := range w.cfg.Validate() {
		wrong = append(wrong, fmt.Errorf("%v", p))
	}
	return w, errors.Join(wrong...)
}

// config is what an operator would write into config.yaml.
func (w *world) config(port int) *config.Config {
	c := config.Default()
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	c.Homeserver.Address, c.Homeserver.Domain = w.homeserver.URL, domain
	c.AppService.Address, c.AppService.PublicAddress, c.AppService.Port = address, address, port
	c.AppService.ASToken, c.AppService.HSToken = rand.Text(), rand.Text()
	c.Gate.Token, c.Media.SigningKey = rand.Text(), rand.Text()
	c.Database.URI = filepath.Join(w.stage.dir, "lanekeeper.db")
	c.Permissions = policy.Permissions{"*": policy.Nobody, domain: "user", id("root"): "superadmin"}
	c.WhatsApp.Enabled = true
	c.WhatsApp.AccountSID, c.WhatsApp.AuthToken = "AC"+hex32(), hex32()
	c.WhatsApp.TemplateSID = "HX" + hex32()
	c.WhatsApp.APIBaseURL = "http://" + w.page.Addr().String()
	for _, p := range []emulator.Phone{dana, eli} {
		c.WhatsApp.Agents = append(c.WhatsApp.Agents, config.Agent{Number: p.Number, Name: p.Name})
	}
	return c
}

func hex32() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x", b)
}

func (w *world) bot() string { return w.cfg.BotMXID() }

// runBridge runs the bridge itself, as `lanekeeper -c` would.
func (w *world) runBridge(ctx context.Context, version string) error {
	file, err := os.OpenFile(filepath.Join(w.stage.dir, "lanekeeper.log"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { _ = file.Close() }()
	log := zerolog.New(file).Level(zerolog.InfoLevel).With().Timestamp().Logger()
	if err := bridge.Run(ctx, w.cfg, log, version); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (w *world) makePhones(ctx context.Context) *emulator.Emulator {
	t := w.cfg.WhatsApp
	return emulator.New(ctx, emulator.Config{
		AccountSID: t.AccountSID, AuthToken: t.AuthToken, From: t.From, Template: t.TemplateSID, Business: "Lanekeeper",
		Public: w.cfg.AppService.PublicAddress, Phones: []emulator.Phone{dana, eli}, Address: t.APIBaseURL,
	})
}

// runPage runs the stage and Twilio's stand-in.
func (w *world) runPage(ctx context.Context) error {
	defer w.phones.Close()
	server := &http.Server{Handler: w.handler(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(w.page) }()
	select {
	case err := <-done:
		return fmt.Errorf("page: %w", err)
	case <-ctx.Done():
		return server.Close()
	}
}

// runHomeserver runs the homeserver until ctx ends.
func (w *world) runHomeserver(ctx context.Context) error {
	if err := w.stage.play(w.homeserver.Start); err != nil {
		return fmt.Errorf("the homeserver does not start: %w", err)
	}
	close(w.started)
	select {
	case <-ctx.Done():
		return nil
	case <-w.homeserver.Ended():
		return fmt.Errorf("the homeserver has ended; the end of its log: %s", w.homeserver.LogTail(5))
	}
}

// ready waits for the homeserver and the bridge, and signs everybody in.
func (w *world) ready(ctx context.Context) error {
	select {
	case <-w.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := w.stage.play(func() {
		for _, r := range cast {
			c := w.homeserver.Register(r.name)
			c.Do(http.MethodPut, "/profile/"+url.PathEscape(c.ID)+"/displayname", map[string]any{"displayname": title(r.name)})
			c.Sync()
			w.people[r.name] = c
		}
	}); err != nil {
		return err
	}
	if err := lab.Until200(ctx, w.cfg.AppService.Address+"/readyz", nil); err != nil {
		return fmt.Errorf("the bridge does not start: %w", err)
	}
	if err := w.staff(ctx); err != nil {
		return err
	}
	people := []person{}
	for _, r := range cast {
		c := w.people[r.name]
		people = append(people, person{Name: r.name, Title: title(r.name), What: r.what, ID: c.ID, Token: c.Token, Password: lab.Password(r.name)})
	}
	w.director.change(func() {
		w.director.scene.World = &stageWorld{Homeserver: w.homeserver.URL, Bot: w.bot(), People: people}
	})
	return nil
}

// staff lets root into the room of the super-admins, which the bridge makes at its first start.
func (w *world) staff(ctx context.Context) error {
	root := w.people["root"]
	if !root.Until(ctx, func() bool { return len(root.Rooms("invite")) > 0 }) {
		return errors.New("the bridge did not invite root to the room of the super-admins")
	}
	if r := root.Join(root.Rooms("invite")[0]); !r.OK() {
		return fmt.Errorf("root cannot join the room of the super-admins: %s", r)
	}
	return nil
}

// invite tells whoever watches how to take part.
func (w *world) invite(out *transcript) {
	out.heading("Your turn")
	out.plain("  Everybody   %s   (the people and the phones, side by side)", w.address())
	out.plain("  Homeserver  %s   (for a Matrix client of your own; Element: “Edit” beside the homeserver)\n", w.homeserver.URL)
	out.plain("  Sign in as  with the password")
	for _, r := range cast {
		out.plain("    %-9s %-12s %s", r.name, lab.Password(r.name), r.what)
	}
	if w.homeserver.Kind == lab.KindDendrite {
		out.plain("\n  This homeserver is Dendrite, on which most clients show threads as plain replies. They do better on\n  Synapse: `make demo` takes it where Python 3.10 and its module venv are installed.")
	}
	out.plain("")
	out.plain("  Ideas: put 🙋 on a message of Carl's, and answer on Dana's phone.")
	out.plain("         Close Dana's 24-hour window, ask again, and tap what she gets instead.")
	out.plain("         Write help to @%s as root.", strings.TrimPrefix(w.bot(), "@"))
	out.plain("\n  Ctrl-C stops everything. Nothing is kept.")
}

// address is where the stage is.
func (w *world) address() string { return fmt.Sprintf("http://%s/", w.page.Addr()) }

// freePort gives a port that nobody uses: the preferred one if that is wanted and can be.
func freePort(preferred int, wanted bool) (int, error) {
	if wanted {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", preferred)); err == nil {
			return preferred, l.Close()
		}
	}
	return port.Free()
}

// listen listens on the preferred port, or on any other.
func listen(preferred int) (l net.Listener, got bool, err error) {
	if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", preferred)); err == nil {
		return l, true, nil
	}
	l, err = net.Listen("tcp", "127.0.0.1:0")
	return l, false, err
}
