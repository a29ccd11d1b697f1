package relay_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

// Whole stories, as their people would read them: every word and who gets it.
func TestTranscripts(t *testing.T) {
	for name, s := range map[string]struct {
		change func(*relay.Relay)
		tell   func(w *world)
	}{
		"customer":      {nil, customerStory},
		"internal":      {nil, internalStory},
		"closed-window": {nil, windowStory},
		"consent-team":  {func(r *relay.Relay) { r.Consent, r.Reveal = "ask", "team" }, consentStory},
		"no-whatsapp":   {func(r *relay.Relay) { r.WhatsApp = false }, matrixStory},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.Open(t, store.SQLite, storetest.SQLite(t)), s.change)
			s.tell(w)
			golden(t, name, strings.Join(w.log, "\n")+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}

func (w *world) takes(user string, n int64, force bool) {
	w.t.Helper()
	w.note("%s: take #%d", w.names[user], n)
	w.tx(func(ctx context.Context) error {
		_, words, err := w.r.Take(ctx, user, w.at("super_admin", ""), n, force)
		w.note("    answer: %s", words.Plain)
		return err
	})
	w.settle()
}

func (w *world) closes(user, room, thread string) {
	w.t.Helper()
	w.note("%s in %s, thread on %s: close", w.names[user], room, thread)
	w.tx(func(ctx context.Context) error {
		_, words, err := w.r.Close(ctx, user, w.at(room, thread), 0)
		w.note("    answer: %s", words.Plain)
		return err
	})
	w.settle()
}

func customerStory(w *world) {
	w.phone(dana, "?")
	w.phone(eli, "?")
	w.wrote(mia, "customer", body("Welcome Carl!"))
	q := w.wrote(carl, "customer", body("When will my invoice 4711 be paid?")).ID
	w.hands(carl, "customer", q, "")
	w.phone(dana, "Tomorrow at *noon*.", quoting(w.last(dana).sid))
	w.phone(eli, "Next week.", quoting(w.last(eli).sid))
	follow := w.says(carl, "customer", in(q, "Thanks, and who signs it of?"))
	w.edits(carl, "customer", follow, "Thanks, and who signs it off?")
	w.status(w.last(dana), "read", 0)
	w.reacts(carl, "customer", w.must("customer", "Tomorrow").id, "👍")
	w.says(root, "super_admin", in(w.root(1), "Dana, it is Mia who signs."))
	w.takes(root, 1, true)
	w.says(root, "super_admin", in(w.root(1), "Mia signs it."))
	w.phone(dana, "#1 Mia does.")
	w.says(carl, "customer", in(q, "Great."))
	w.closes(root, "super_admin", w.root(1))
	w.says(carl, "customer", in(q, "It is not there yet."))
	w.phone(eli, "take 1")
	w.phone(eli, "It will be there at six.")
	w.phone(eli, "done 1")
	w.phone(eli, "done 1")
	w.wrote(carl, "customer", body("!lane human May I have a copy?"))
	w.ask(relay.AskInput{Asker: carl, Room: w.rooms["customer"], Event: "$again", Question: "May I have a copy?", At: w.now})
	w.phone(eli, "pass 2")
	w.phone(dana, "pass 2")
}

func internalStory(w *world) {
	w.phone(dana, "?")
	w.asks(xena, "internal", "Is the client solvent?")
	w.phone(dana, "#1 yes")
	w.reacts(root, "super_admin", w.root(1), "✋")
	w.reacts(olga, "super_admin", w.root(1), "✋")
	w.says(root, "super_admin", in(w.root(1), "Solvent enough."))
	w.says(xena, "internal", in(string(w.load(1).Thread), "Thanks!"))
	w.closes(xena, "internal", string(w.load(1).Thread))
}

func windowStory(w *world) {
	w.asks(carl, "direct"+carl, "Hello?")
	w.says(carl, "direct"+carl, body("Anybody there?"))
	w.phone(dana, "", tapping("show:1"))
	w.phone(dana, "Yes, I am.")
	w.phone(eli, "hi")
}

func consentStory(w *world) {
	w.phone(dana, "?")
	w.asks(carl, "customer", "Is my data safe?")
	w.reacts(carl, "customer", w.must("customer", "✅ = yes").id, "✅")
	w.phone(dana, "It is.")
	w.phone(dana, "done 1")
}

func matrixStory(w *world) {
	_, q := w.asks(carl, "customer", "Is anybody there?")
	w.takes(root, 1, false)
	w.says(root, "super_admin", in(w.root(1), "I am."))
	picture := in(q, "shot.png")
	picture["msgtype"] = "m.image"
	w.says(carl, "customer", picture)
}
