package relay_test

import (
	"context"
	"strings"
	"testing"
	"time"
)

// HAND-10: who was asked and got the question reads once that somebody else is on it.
func TestWhoIsOnIt(t *testing.T) {
	each(t, nil, func(w *world) {
		w.phone(dana, "?") // Eli's window stays closed
		w.asks(carl, "customer", "alpha")
		w.outs = nil
		w.reacts(root, "super_admin", w.root(1), "✋")
		w.phoneGot(dana, "*#1* root is answering this.")
		w.phoneGot(eli)
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Take(ctx, olga, w.at("super_admin", ""), 1, true)
			return err
		})
		w.settle()
		w.phoneGot(dana) // it was said
		w.phone(eli, "", tapTemplate)
		w.phoneGot(eli, "*#1* Olga is already answering this.")
		w.asks(carl, "customer", "beta")
		w.outs = nil
		w.phone(eli, "#2 I am on it")
		w.phoneGot(dana, "*#2* Eli is answering this.")
		w.phoneGot(eli)
		w.asks(carl, "customer", "gamma")
		w.phone(dana, "pass 3")
		w.outs = nil
		w.phone(eli, "take 3")
		w.phoneGot(dana) // does not want to know
		w.asks(xena, "internal", "delta")
		w.outs = nil
		w.reacts(root, "super_admin", w.root(4), "✋")
		w.phoneGot("") // read nothing of it but that it waits
	})
}

// A tap on Show for what is closed says so, also while others wait.
func TestShowOfAClosedOne(t *testing.T) {
	each(t, nil, func(w *world) {
		w.asks(carl, "customer", "alpha")
		w.asks(carl, "customer", "beta")
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Close(ctx, root, w.at("super_admin", ""), 1)
			return err
		})
		w.settle()
		w.outs = nil
		w.phone(dana, "", tapTemplate)
		w.phoneRead(dana, "*#2* beta", "*#1* is already closed.")
	})
}

var tapTemplate = tapping("show:1")

// HAND-10: what somebody else of the project writes in the asker's thread stands in the
// card's thread; an answer of who works on it is named on the card and said to phones.
func TestAnsweredInTheLane(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "Who pays?")
		w.outs = nil
		q := w.says(mia, "customer", in(cmd, "Done, the invoice goes to accounting now."))
		p := w.must("super_admin", "goes to accounting")
		if p.thread != w.root(n) || p.msgtype != "m.notice" || !strings.Contains(p.body, "Mia (in the lane)") {
			t.Errorf("shown: %+v", p)
		}
		if last := w.edited(n); !strings.Contains(last, "Answered in the lane by Mia.") {
			t.Errorf("the card: %q", last)
		}
		if c := w.card(n); c["state"] != "open" || c["owner"] != nil {
			t.Errorf("card: %v", c)
		}
		w.phoneGot(dana, "*#1* Mia answered in the lane.")
		w.says(mia, "customer", in(cmd, "Tomorrow, I think."))
		w.says(xena, "customer", in(cmd, "I would like to know, too."))
		w.must("super_admin", "like to know")
		w.says(root, "customer", in(cmd, "CANARY of nobody in the project"))
		w.none("super_admin", "CANARY")
		if last := w.edited(n); strings.Contains(last, "Xena") {
			t.Errorf("the card: %q", last)
		}
		w.phoneGot(dana)
		w.edits(mia, "customer", q, "Done, it is paid.")
		if last := w.posts[len(w.posts)-1]; last.edits != p.id || !strings.Contains(last.body, "it is paid") {
			t.Errorf("edited: %+v", last)
		}
		w.redacts(mia, "customer", q)
		if last := w.posts[len(w.posts)-1]; last.redacts != p.id {
			t.Errorf("redacted: %+v", last)
		}
		w.phoneGot(dana)
		w.phoneGot(eli, "*#1* Mia answered in the lane.")
	})
}

// LANE-06: both sides of an open question read that its project is archived.
func TestArchivedQuestions(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 on it")
		_, own := w.asks(carl, "customer", "closed before")
		w.says(carl, "customer", in(own, "close"))
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Close(ctx, carl, w.at("customer", own), 0)
			return err
		})
		w.asks(xena, "direct"+xena, "a direct chat goes on")
		w.outs = nil
		w.tx(func(ctx context.Context) error { return w.r.Archived(ctx, "p1") })
		w.settle()
		if p := w.must("customer", "project was archived"); p.thread != cmd {
			t.Errorf("the asker: %+v", p)
		}
		if p := w.must("super_admin", "project was archived"); p.thread != w.root(n) {
			t.Errorf("staff: %+v", p)
		}
		if n := w.times("customer", "was archived") + w.times("super_admin", "was archived") + w.times("direct"+xena, "was archived"); n != 2 {
			t.Errorf("said %d times", n)
		}
		w.phoneGot(dana, "*#1* The project was archived: they can read what you answer here, and can't reply.")
		w.phoneGot(eli)
	})
}

// FLOW-19: what was said before a question goes to a phone once an hour.
func TestContextOnceAnHour(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.wrote(mia, "customer", body("CONTEXT one"))
		w.asks(carl, "customer", "alpha")
		w.phoneHas(dana, "CONTEXT one")
		w.outs = nil
		w.wrote(mia, "customer", body("CONTEXT two"))
		w.asks(carl, "customer", "beta")
		w.phoneGot(dana, "*#2* Carl · Acme, customer lane\nCarl: beta\n\nBefore that:\nMia: CONTEXT two")
		w.now = w.now.Add(2 * time.Hour)
		w.outs = nil
		w.asks(carl, "customer", "gamma")
		w.phoneHas(dana, "CONTEXT one")
		w.outs = nil
		w.phone(eli, "take 3")
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Close(ctx, root, w.at("super_admin", ""), 3)
			return err
		})
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Reopen(ctx, root, w.at("super_admin", ""), 3)
			return err
		})
		w.settle()
		w.phoneHas(dana, "gamma") // of the conversation itself all is said again
	})
}

// FLOW-20: the notice that asks for consent carries the reaction that gives it; another
// one is answered once.
func TestConsentSigns(t *testing.T) {
	each(t, asking, func(w *world) {
		w.asks(carl, "customer", "alpha")
		notice := w.must("customer", "✅ = yes")
		if !w.marked(notice.id, "✅") {
			t.Error("no ✅ on it")
		}
		for range 2 {
			w.reacts(carl, "customer", notice.id, "👍")
		}
		w.reacts(mia, "customer", notice.id, "👍")
		if n := w.times("customer", "no other reaction counts"); n != 1 {
			t.Errorf("told %d times", n)
		}
		w.reacts(carl, "customer", notice.id, "☑️")
		w.must("super_admin", "Carl agreed")
	})
}

// edited is what the card of a handoff says after the last edit.
func (w *world) edited(n int64) (body string) {
	for _, p := range w.posts {
		if p.edits == w.root(n) {
			body = p.body
		}
	}
	return body
}
