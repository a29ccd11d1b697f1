// Package doctor checks everything that an operator can get wrong, says what to
// do about each, and prints what has to be pasted elsewhere.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
	"lanekeeper/config"
)

// checkTime bounds each question. A small homeserver that has much to do is slow.
const checkTime = 20 * time.Second

// Files are what the operator calls them by, and what was noticed about them before.
type Files struct {
	Config, Registration string
	Notes                []string
}

// examination prints what it finds, and counts.
type examination struct {
	cfg          *config.Config
	files        Files
	out          io.Writer
	fails, notes int
	place        place
}

// Check looks at everything and reports whether all is well. What could be better
// but works is a note. What is found stands last, and how much it is: what is to be
// pasted elsewhere is above it.
func Check(ctx context.Context, cfg *config.Config, files Files, out io.Writer) bool {
	x := &examination{cfg: cfg, files: files, out: out}
	x.paste()
	for _, sentence := range files.Notes {
		x.note(sentence, "")
	}
	for _, sentence := range bridge.Unbuilt(cfg) {
		x.fail(sentence, "")
	}
	if len(cfg.Policy().Exact("handoff")) == 0 {
		x.note("Nobody is invited to the room of staff: permissions makes nobody ops, admin or superadmin by a full Matrix id.", `Add somebody, such as "@root:%s": superadmin.`, cfg.Homeserver.Domain)
	}
	away := x.listen(ctx)
	x.homeserver(ctx)
	x.database(ctx)
	x.twilio(ctx)
	x.public(ctx)
	away()
	x.verdict()
	return x.fails == 0
}

func (x *examination) ok(format string, args ...any) {
	fmt.Fprintf(x.out, "ok    %s\n", fmt.Sprintf(format, args...))
}

// note is what could be better, with what to do about it.
func (x *examination) note(cause, fix string, args ...any) {
	x.notes++
	x.say("note", cause, fix, args...)
}

// fail is what does not work, with what to do about it.
func (x *examination) fail(cause, fix string, args ...any) {
	x.fails++
	x.say("FAIL", cause, fix, args...)
}

// say prints two lines: what is the matter, and what to do (whose words are a format).
func (x *examination) say(mark, cause, fix string, args ...any) {
	fmt.Fprintf(x.out, "%s  %s\n", mark, cause)
	if fix != "" {
		fmt.Fprintf(x.out, "     → %s\n", fmt.Sprintf(fix, args...))
	}
}

// f is short, because causes are made with it everywhere.
func f(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func (x *examination) verdict() {
	count := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return f("%d %s", n, many)
	}
	notes := count(x.notes, "note", "notes")
	switch {
	case x.fails > 0 && x.notes > 0:
		fmt.Fprintf(x.out, "\n%s to fix, %s.\n", count(x.fails, "thing", "things"), notes)
	case x.fails > 0:
		fmt.Fprintf(x.out, "\n%s to fix.\n", count(x.fails, "thing", "things"))
	case x.notes > 0:
		fmt.Fprintf(x.out, "\nNothing to fix, %s.\n", notes)
	default:
		fmt.Fprint(x.out, "\nAll is well.\n")
	}
}

func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, checkTime)
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
		x.fail(f("%v.", err), "")
		return
	}
	if err == nil {
		defer db.Close()
		unfenced := queue.New(db, queue.System{}, zerolog.Nop()) // we own nothing
		err = (&store.Store{DB: db, Queue: unfenced}).SetMeta(ctx, "checked", time.Now().UTC().Format(time.RFC3339))
	}
	if err != nil {
		cause, fix := bridge.DatabaseTrouble(x.cfg, err)
		x.fail(cause, "%s", fix)
		return
	}
	x.ok("The database can be written (%s).", x.cfg.Database.Type)
}

func (x *examination) twilio(ctx context.Context) {
	if !x.cfg.WhatsApp.Enabled {
		x.note("WhatsApp is off (whatsapp.enabled): questions go to the super-admin room only.", "")
		return
	}
	client, err := whatsapp.New(bridge.TwilioConfig(x.cfg))
	if err != nil {
		x.fail(f("%v.", err), "")
		return
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	account, err := client.FetchAccount(ctx)
	standIn := x.cfg.WhatsApp.APIBaseURL
	var refused *whatsapp.Error
	switch {
	case errors.As(err, &refused) && refused.Class == whatsapp.Account:
		x.fail(f("Twilio does not let us in: %s.", refused.Sentence()), "Check whatsapp.account_sid, auth_token, api_key and api_secret against the Twilio console.")
		return
	case err != nil && standIn != "":
		x.fail(f("The stand-in for Twilio at %s (whatsapp.api_base_url) does not answer: %v.", standIn, err), "Start it with lanekeeper phones -c %s, or leave that key empty for the real Twilio.", x.files.Config)
		return
	case err != nil:
		x.fail(f("Twilio cannot be asked: %v.", err), "Check that this computer may reach https://api.twilio.com.")
		return
	case account.Status != "active":
		x.fail(f("The Twilio account is %s.", account.Status), "Activate it in the Twilio console.")
	case standIn == "":
		x.ok("Twilio accepts the credentials (%s account).", account.Type)
	}
	if standIn != "" {
		x.note(f("WhatsApp goes to a stand-in at %s: nobody gets a message on a real phone.", standIn), "Leave whatsapp.api_base_url empty for the real Twilio.")
	}
	if account.Type == "Trial" {
		x.note("It is a trial account: only verified numbers, 50 messages a day.", "")
	}
	if x.cfg.WhatsApp.AuthTokenPrevious != "" {
		x.note("Webhooks that are signed with the former auth token are taken, too (whatsapp.auth_token_previous).", "Empty that key once the new token is the primary one in the Twilio console.")
	}
	if len(x.cfg.WhatsApp.Agents) == 0 {
		x.note("Nobody answers on WhatsApp: whatsapp.agents is empty.", "Add their numbers and names there.")
	}
	x.template(ctx, client)
}

// template looks whether an agent can be woken whose window is closed.
func (x *examination) template(ctx context.Context, client *whatsapp.Client) {
	sid := x.cfg.WhatsApp.TemplateSID
	if sid == "" {
		x.note("An agent who has not written for 24 hours cannot be reached: there is no template (whatsapp.template_sid).", "Have one approved: `lanekeeper whatsapp template submit -c %s`.", x.files.Config)
		return
	}
	t, err := client.FetchTemplate(ctx, sid)
	var refused *whatsapp.Error
	switch {
	case errors.As(err, &refused) && refused.HTTPStatus == http.StatusNotFound && x.cfg.WhatsApp.APIBaseURL != "":
		// not every stand-in has templates
	case errors.As(err, &refused) && refused.HTTPStatus == http.StatusNotFound:
		x.fail(f("Twilio has no template %s in this account (whatsapp.template_sid).", sid), "Have one approved: `lanekeeper whatsapp template submit -c %s`.", x.files.Config)
	case err != nil:
		x.note(f("Whether WhatsApp has approved the template cannot be asked: %v.", err), "")
	case !t.Approved():
		x.fail(f("WhatsApp has not approved the template (it is %s): an agent who has not written for 24 hours cannot be reached.", t.State), "See `lanekeeper whatsapp template status -c %s`.", x.files.Config)
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
		x.fail(f("appservice.public_address: %v.", err), "")
		return
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		cause, fix := unreached(err, address, "appservice.public_address")
		x.note(f("The public address %s cannot be reached from this computer: %s.", address, cause), "%s",
			cmp.Or(fix, f("Open %s from outside: while Lanekeeper runs it must say ok.", probe)))
		return
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 10))
	if answer.StatusCode != http.StatusOK || string(said) != "ok\n" {
		x.note(f("The public address does not lead to us: %s answers %s.", probe, answer.Status), "It must say ok: check that the proxy there passes everything below /_lanekeeper/ on to %s.", x.cfg.AppService.Here())
		return
	}
	x.ok("The public address %s leads to us.", address)
}
