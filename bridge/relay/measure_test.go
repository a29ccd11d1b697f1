package relay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
)

func (w *world) times(room, words string) (n int) {
	for _, s := range w.in(room) {
		n += strings.Count(s, words)
	}
	return n
}

// R8. Of a text that is longer than a person's messages may be WhatsApp gets the first
// ones, and where the rest stands.
func TestParts(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.q.Parts = 3
		w.phone(dana, "?")
		w.outs = nil
		w.asks(carl, "customer", strings.Repeat("*One* sentence of some words here. ", 2000))
		got := w.got(dana)
		if len(got) != 3 {
			t.Fatalf("R8: %d messages", len(got))
		}
		for i, s := range got {
			if !strings.HasPrefix(s, fmt.Sprintf("*#1* (%d/3) ", i+1)) || len(utf16.Encode([]rune(s))) > 1500 {
				t.Errorf("R8: part %d begins %.20q and has %d", i+1, s, len(s))
			}
			if says := strings.HasSuffix(s, "\nThe rest is too long for WhatsApp. You'll find it in Matrix, in the thread of #1."); says != (i == 2) {
				t.Errorf("R8: part %d ends %q", i+1, s[len(s)-100:])
			}
		}
		w.outs = nil
		w.asks(xena, "direct"+xena, "short")
		if got := w.got(dana); len(got) != 1 || strings.Contains(got[0], "rest") {
			t.Errorf("R8: %q", got)
		}
	})
}

// R8. What somebody writes beyond the limit of a minute is not carried, and a sentence
// says so once; what they wrote before is not lost.
func TestTooManyWords(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Limits.Words = 3 }, func(w *world) {
		w.phone(dana, "#9")
		w.outs = nil
		_, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 I am here")
		w.outs = nil
		for i := range 6 {
			w.says(carl, "customer", in(cmd, fmt.Sprint("word ", i)))
		}
		w.phoneRead(dana, "*#1* word 0", "*#1* word 1", "*#1* word 2")
		if n := w.times("customer", "more than 3 messages"); n != 1 {
			t.Errorf("R8: said %d times", n)
		}
		w.now = w.now.Add(time.Minute)
		w.says(carl, "customer", in(cmd, "later"))
		w.phoneRead(dana, "*#1* later")
		for i := range 6 {
			w.phone(dana, fmt.Sprint("From the phone ", i))
		}
		if n := w.times("customer", "From the phone "); n != 3 {
			t.Errorf("R8: %d answers", n)
		}
		if got := w.got(dana); len(got) != 1 || !strings.Contains(got[0], "more than 3 messages") {
			t.Errorf("R8: the agent reads %q", got)
		}
	})
}

// R8. The measure is each person's: what an owner among staff writes beyond it stays, is
// marked so, and one sentence says it. Talk among staff counts as nothing.
func TestTooManyWordsOfStaff(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Limits.Words = 3 }, func(w *world) {
		n, _ := w.asks(carl, "customer", "alpha")
		w.takes(root, n, false)
		for i := range 6 {
			w.says(olga, "super_admin", in(w.root(n), fmt.Sprint("talk ", i)))
		}
		for i := range 6 {
			said := w.says(root, "super_admin", in(w.root(n), fmt.Sprint("my words ", i)))
			if kept := w.marked(said, "🔒"); kept != (i >= 3) || w.marked(said, "📤") == kept {
				t.Errorf("R8: answer %d: kept %v", i, kept)
			}
		}
		if n := w.times("customer", "my words"); n != 3 {
			t.Errorf("R8: %d answers", n)
		}
		if n := w.times("super_admin", "more than 3 messages"); n != 1 {
			t.Errorf("R8: said %d times", n)
		}
	})
}

// R8. After an outage what was written in an hour comes in at once: it counts by when
// it was written. Times that nobody can have written at help nobody.
func TestWordsOfAnOutage(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Limits.Words = 3 }, func(w *world) {
		w.phone(dana, "?")
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		start := w.now
		say := func(i int, at time.Time) {
			ev := w.wrote(carl, "customer", in(cmd, fmt.Sprint("word ", i)))
			ev.TS = at
			w.tx(func(ctx context.Context) error { _, err := w.r.LaneMessage(ctx, ev, w.rooms["customer"]); return err })
			w.settle()
		}
		w.now = start.Add(10 * time.Minute)
		for i := range 9 {
			say(i, start.Add(time.Duration(i)*30*time.Second))
		}
		if n := len(w.got(dana)); n != 9 {
			t.Errorf("R8: %d of 9", n)
		}
		w.outs = nil
		w.now = w.now.Add(10 * time.Minute)
		for i := range 20 {
			say(i, w.now.Add(time.Duration(1-2*(i%2))*time.Duration(i)*time.Minute))
		}
		if n := len(w.got(dana)); n > 6 {
			t.Errorf("R8: %d got through with forged times", n)
		}
	})
}

// R8. A question beyond the open handoffs of one person joins the newest one of its
// place, never one of another place.
func TestOpenHandoffs(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Limits.Open = 3 }, func(w *world) {
		w.phone(dana, "?")
		for i := range 2 {
			w.asks(xena, "direct"+xena, fmt.Sprint("question ", i))
		}
		w.asks(xena, "internal", "CANARY of the staff lane")
		w.outs = nil
		n, cmd := w.asks(xena, "direct"+xena, "one more")
		if n != 2 {
			t.Errorf("R8: #%d", n)
		}
		w.phoneRead(dana, "*#2* one more")
		if p := w.must("direct"+xena, "You already have 3 open questions"); p.reply != cmd {
			t.Errorf("R8: %+v", p)
		}
		if n, _ := w.asks(xena, "internal", "more CANARY"); n != 3 || len(w.got(dana)) != 0 {
			t.Errorf("R8: #%d, %q", n, w.got(dana))
		}
		ev := w.wrote(xena, "customer", body("!lane human and here?"))
		err := w.s.Tx(w.ctx, func(ctx context.Context) error {
			_, err := w.r.Ask(ctx, relay.AskInput{Asker: xena, Name: "Xena", Room: w.rooms["customer"], Event: ev.ID, Question: "and here?", At: ev.TS})
			return err
		})
		var refused *project.Error
		if !errors.As(err, &refused) || refused.Code != project.Conflict {
			t.Errorf("R8: %v", err)
		}
		private := w.wrote(xena, "internal", body("!lane human --private CANARY of mine"))
		if err := w.s.Tx(w.ctx, func(ctx context.Context) error {
			_, err := w.r.Ask(ctx, relay.AskInput{Asker: xena, Name: "Xena", Room: w.rooms["internal"], Event: private.ID, Question: "CANARY of mine", Private: true, At: private.TS})
			return err
		}); !errors.As(err, &refused) {
			t.Errorf("R8: joined a talk that leaves: %v", err)
		}
		w.phone(dana, "done 1")
		w.outs = nil
		if n, _ := w.asks(xena, "direct"+xena, "a new one"); n != 4 {
			t.Errorf("R8: #%d", n)
		}
		for _, s := range w.got(dana) {
			if strings.Contains(s, "CANARY") {
				t.Errorf("R8: %q", s)
			}
		}
	})
}

// R8. Unknown numbers are told once a day each, and all together not without end.
func TestManyStrangers(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		for i := range 60 {
			w.phone(fmt.Sprintf("+491520000%04d", i), "hello")
		}
		if n := w.times("super_admin", "isn't an agent, so they got no answer"); n != 20 {
			t.Errorf("R8: %d notices", n)
		}
		if n := w.times("super_admin", "unknown numbers have written"); n != 1 {
			t.Errorf("R8: %d sentences", n)
		}
		var phones int
		if err := w.s.DB.QueryRow(w.ctx, "SELECT COUNT(*) FROM wa_phone").Scan(&phones); err != nil || phones > 20 {
			t.Errorf("R8: %d numbers are remembered, %v", phones, err)
		}
		w.now = w.now.Add(25 * time.Hour)
		w.phone("+4915200000099", "hello")
		w.must("super_admin", "+4915200000099")
	})
}

// R8. Corrections and reactions are messages to a phone like all others.
func TestTooManyEdits(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Limits.Words = 5 }, func(w *world) {
		w.phone(dana, "?")
		_, cmd := w.asks(carl, "customer", "alpha")
		said := w.says(carl, "customer", in(cmd, "first words"))
		w.phone(dana, "#1 here")
		answer := w.must("customer", "here").id
		w.outs = nil
		for i := range 20 {
			w.edits(carl, "customer", said, fmt.Sprint("words ", i))
		}
		if n := len(w.got(dana)); n > 5 {
			t.Errorf("R8: %d corrections in 20 seconds", n)
		}
		w.outs = nil
		for i := range 20 {
			w.reacts(carl, "customer", answer, strings.Repeat("👍", i%5+1))
		}
		if n := len(w.got(dana)); n > 5 {
			t.Errorf("R8: %d reactions", n)
		}
	})
}

// R8. A closed question that is opened again is one more: nobody gets around the limit by
// writing in the threads of old ones.
func TestOpenAgainBeyondTheLimit(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Limits.Open = 2 }, func(w *world) {
		w.phone(dana, "?")
		first, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, fmt.Sprint("done ", first))
		second, other := w.asks(carl, "customer", "beta")
		w.asks(carl, "customer", "gamma")
		w.outs = nil
		w.says(carl, "customer", in(cmd, "and again"))
		if state := w.load(first).State; state != handoff.Closed {
			t.Errorf("R8: #%d is %s", first, state)
		}
		if n := w.times("customer", "You already have 2 open"); n != 1 || len(w.got(dana)) != 0 {
			t.Errorf("R8: said %d times, Dana reads %q", n, w.got(dana))
		}
		ev := w.wrote(carl, "customer", in(cmd, "!lane human really"))
		err := w.s.Tx(w.ctx, func(ctx context.Context) error {
			_, err := w.r.Ask(ctx, relay.AskInput{Asker: carl, Name: "Carl", Room: w.rooms["customer"], Event: ev.ID, Question: "really", Thread: cmd, At: ev.TS})
			return err
		})
		var refused *project.Error
		if !errors.As(err, &refused) || refused.Code != project.Conflict {
			t.Errorf("R8: %v", err)
		}
		w.closes(carl, "customer", other)
		if state := w.load(second).State; state != handoff.Closed {
			t.Fatalf("#%d is %s", second, state)
		}
		w.says(carl, "customer", in(cmd, "once more"))
		if state := w.load(first).State; state != handoff.Open {
			t.Errorf("R8: #%d is %s when there is room for it", first, state)
		}
	})
}
