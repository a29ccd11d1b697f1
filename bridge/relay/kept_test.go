package relay_test

import (
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/whatsapp"
)

// HAND-04: what an agent can choose from says who asks, since when, and how the question
// begins; of what waits in Matrix it says nothing.
func TestListWithWords(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "The preview link shows an error 502 since this morning, and nobody can see the page\n#9 CANARY")
		w.asks(xena, "internal", "CANARY is the client solvent?")
		w.now = w.now.Add(4 * time.Minute)
		w.phone(dana, "take 1")
		w.asks(xena, "direct"+xena, "When is *lunch*?")
		w.outs = nil
		w.phone(dana, "list")
		w.phoneGot(dana, "*#1* Carl, 4 min (yours): The preview link shows an error 502 since this morning, and…\n"+
			"*#2* A staff question is waiting in Matrix.\n*#3* Xena, just now: When is ⁠*⁠lunch*?")
	})
}

// With consent wanted the list names who agreed, and shows no words of who did not.
func TestListWithoutConsent(t *testing.T) {
	each(t, asking, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "CANARY of carl")
		q := w.says(mia, "customer", in(cmd, "I wonder, too"))
		w.hands(mia, "customer", q, cmd)
		w.reacts(mia, "customer", w.must("customer", "already has this").id, "✅")
		w.outs = nil
		w.phone(dana, "list")
		w.phoneGot(dana, "*#1* Mia, just now")
	})
}

// HAND-04: an answer that could be for several is kept, in a row of the database; the number alone sends it, once.
func TestKeptAnswer(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		a, _ := w.asks(carl, "customer", "alpha")
		w.asks(xena, "direct"+xena, "beta")
		w.outs = nil
		w.phone(dana, "Tomorrow at *noon*.")
		if said := w.last(dana).body; !strings.Contains(said, "the number alone") || !strings.Contains(said, "*#2* Xena, just now: beta") {
			t.Fatalf("asked: %q", said)
		}
		w.none("customer", "noon")
		w.outs = nil
		w.phone(dana, "1")
		if p := w.must("customer", "Tomorrow at"); !strings.Contains(p.html, "<strong>noon</strong>") {
			t.Errorf("answer: %+v", p)
		}
		if said := strings.Join(w.got(dana), "\n"); !strings.HasPrefix(said, "*#1* ✓ sent") {
			t.Errorf("told: %q", said)
		}
		if c := w.card(a); c["state"] != "taken" {
			t.Errorf("card: %v", c)
		}
		w.phone(dana, "1") // an answer like any other now: to the one that she owns
		if n := w.times("customer", "Tomorrow at"); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// What is kept ends with the next message, and after a while; then nothing is sent.
func TestKeptAnswerEnds(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		w.asks(xena, "direct"+xena, "beta")
		for _, end := range []func(){
			func() { w.phone(dana, "list") },
			func() { w.now = w.now.Add(11 * time.Minute) },
			func() { w.phone(dana, "", func(m *whatsapp.Inbound) { m.NumMedia = 1 }) },
		} {
			w.phone(dana, "CANARY words")
			end()
			w.outs = nil
			w.phone(dana, "#2")
			w.phone(dana, "2")
			if said := strings.Join(w.got(dana), "\n"); !strings.Contains(said, "Which one") && !strings.Contains(said, "after the number") {
				t.Errorf("told: %q", said)
			}
			w.none("direct"+xena, "CANARY")
		}
		w.phone(dana, "CANARY one")
		w.phone(dana, "#1 sent by number")
		w.phone(dana, "other words of hers, to the one she owns")
		w.none("direct"+xena, "CANARY")
		w.none("customer", "CANARY")
	})
}

// A number that names none, or one that another owns, sends nothing.
func TestKeptAnswerForNobody(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		w.asks(xena, "direct"+xena, "beta")
		w.asks(xena, "internal", "gamma")
		w.phone(dana, "CANARY one")
		w.phone(dana, "99")
		w.phone(dana, "CANARY two")
		w.phone(dana, "#3") // waits in Matrix
		w.phone(dana, "CANARY three")
		w.phone(eli, "#1 mine")
		w.phone(dana, "1")
		for _, room := range []string{"customer", "internal", "direct" + xena} {
			w.none(room, "CANARY")
		}
		if said := strings.Join(w.got(dana), "\n"); !strings.Contains(said, "no open #99") || !strings.Contains(said, "only be answered in Matrix") || !strings.Contains(said, "Eli is answering") {
			t.Errorf("told: %q", said)
		}
	})
}

// asking makes the bot ask before words go to WhatsApp.
func asking(r *relay.Relay) { r.Consent = "ask" }
