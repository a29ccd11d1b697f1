package relay_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/relay"
)

// HAND-10: what somebody else of the project writes in the asker's thread stands in the
// card's thread; that a manager wrote stands on the card and is said to phones, until
// they delete it or the asker goes on.
func TestWroteInTheLane(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "Who pays?")
		w.outs = nil
		q := w.says(mia, "customer", in(cmd, "Done, the invoice goes to accounting now."))
		p := w.must("super_admin", "goes to accounting")
		if p.thread != w.root(n) || p.msgtype != "m.notice" || !strings.Contains(p.body, "Mia (in the lane)") {
			t.Errorf("shown: %+v", p)
		}
		if last := w.edited(n); !strings.Contains(last, "Mia wrote in the lane.") {
			t.Errorf("the card: %q", last)
		}
		if c := w.card(n); c["state"] != "open" || c["owner"] != nil {
			t.Errorf("card: %v", c)
		}
		w.phoneGot(dana, "*#1* Mia wrote in the lane.")
		w.phoneGot(eli, "*#1* Mia wrote in the lane.")
		again := w.says(mia, "customer", in(cmd, "Tomorrow, I think."))
		w.says(root, "customer", in(cmd, "CANARY of nobody in the project"))
		w.none("super_admin", "CANARY")
		w.phoneGot(dana)
		w.edits(mia, "customer", q, "Done, it is paid.")
		if last := w.posts[len(w.posts)-1]; last.edits != p.id || !strings.Contains(last.body, "it is paid") {
			t.Errorf("edited: %+v", last)
		}
		w.redacts(mia, "customer", q)
		if last := w.posts[len(w.posts)-1]; last.redacts != p.id {
			t.Errorf("redacted: %+v", last)
		}
		w.phoneGot(dana) // she wrote another after it
		w.redacts(mia, "customer", again)
		w.phoneGot(dana, "*#1* What was written in the lane is deleted, and this is still open.")
		if last := w.edited(n); strings.Contains(last, "Mia") {
			t.Errorf("the card: %q", last)
		}
		w.says(mia, "customer", in(cmd, "It is paid."))
		w.phoneGot(dana, "*#1* Mia wrote in the lane.")
		w.says(carl, "customer", in(cmd, "No, it is not."))
		w.phoneGot(dana, "*#1* Carl: No, it is not.")
		if last := w.edited(n); strings.Contains(last, "Mia") {
			t.Errorf("the card: %q", last)
		}
		w.says(mia, "customer", in(cmd, "Now it is."))
		w.phoneGot(dana, "*#1* Mia wrote in the lane.")
	})
}

// An expert works on the project, and does not manage it: agents go on.
func TestExpertInTheLane(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(xena, "internal", "no matter")
		w.says(mia, "internal", in(cmd, "stays in Matrix"))
		p, err := w.s.Project(w.ctx, "p1")
		if err != nil {
			t.Fatal(err)
		}
		p.Profile = "managed" // there experts are in the customer lane
		w.tx(func(ctx context.Context) error { return w.s.SaveProject(ctx, p) })
		n, cmd := w.asks(carl, "customer", "Who pays?")
		w.outs = nil
		w.says(xena, "customer", in(cmd, "I would like to know, too."))
		w.must("super_admin", "like to know")
		if last := w.edited(n); strings.Contains(last, "Xena") {
			t.Errorf("the card: %q", last)
		}
		w.phoneGot(dana)
	})
}

// What somebody wrote beside a question and then asks with stands once in the card's
// thread, so that their edit and their deletion reach it. The same holds for what opens
// a closed question again.
func TestShownOnce(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		q := w.says(mia, "customer", in(cmd, "let me ONCE check"))
		w.hands(mia, "customer", q, cmd)
		said := w.says(carl, "customer", in(cmd, "said ONCE, too"))
		w.closes(root, "super_admin", w.root(n))
		w.hands(carl, "customer", said, cmd)
		w.closes(root, "super_admin", w.root(n))
		w.hands(carl, "customer", cmd, "") // the card holds it
		for _, v := range []struct{ user, event, words string }{{mia, q, "let me ONCE"}, {carl, said, "said ONCE"}} {
			p := w.must("super_admin", v.words)
			if n := w.times("super_admin", v.words); n != 1 {
				t.Errorf("%q stands %d times", v.words, n)
			}
			w.redacts(v.user, "customer", v.event)
			gone := false
			for _, is := range w.posts {
				gone = gone || is.redacts == p.id
			}
			if !gone {
				t.Errorf("%q still stands", v.words)
			}
		}
		if n := w.times("super_admin", "Carl:** alpha"); n != 0 {
			t.Errorf("the question stands %d times beside the card", n)
		}
	})
}

// What somebody writes beside another's question is counted apart: of their own words
// that are too many they read. Edits count as well.
func TestMeasureBeside(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Limits.Words = 3 }, func(w *world) {
		_, cmd := w.asks(carl, "customer", "alpha")
		_, own := w.asks(mia, "customer", "beta")
		var q string
		for i := range 5 {
			if id := w.says(mia, "customer", in(cmd, fmt.Sprint("beside ", i))); i == 0 {
				q = id
			}
		}
		if n := w.times("super_admin", "beside"); n != 3 {
			t.Errorf("shown %d times", n)
		}
		before := len(w.posts)
		w.edits(mia, "customer", q, "beside, edited")
		if len(w.posts) != before {
			t.Errorf("edited: %+v", w.posts[before:])
		}
		for i := range 5 {
			w.says(mia, "customer", in(own, fmt.Sprint("own ", i)))
		}
		if n := w.times("super_admin", "own "); n != 3 {
			t.Errorf("her own: shown %d times", n)
		}
		w.must("customer", "more than 3 messages in a minute")
	})
}
