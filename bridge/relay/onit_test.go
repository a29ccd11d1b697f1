package relay_test

import (
	"context"
	"strings"
	"testing"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
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
		w.archives()
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

// LANE-06: who manages the project can write in it still.
func TestArchivedQuestionOfManager(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(mia, "customer", "alpha")
		w.archives()
		w.phone(dana, "#1 an answer")
		w.must("customer", "an answer")
		w.none("customer", "archived")
		w.none("super_admin", "archived")
		if said := w.last(dana).body; strings.Contains(said, "archived") {
			t.Errorf("the agent reads %q", said)
		}
	})
}

// What was said before a question goes along with each one, as it is then.
func TestContextAsItIs(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		q := w.wrote(xena, "customer", body("logo A"))
		w.asks(carl, "customer", "alpha")
		w.phoneHas(dana, "logo A")
		w.edits(xena, "customer", q.ID, "logo B")
		w.outs = nil
		w.asks(carl, "customer", "beta")
		w.phoneHas(dana, "logo B")
		w.refuse = func(*store.Part) *whatsapp.Error { return &whatsapp.Error{Code: 63016} }
		w.asks(carl, "customer", "gamma")
		w.refuse, w.outs = nil, nil
		w.phone(dana, "#1 back")
		w.outs = nil
		w.asks(carl, "customer", "delta")
		w.phoneHas(dana, "logo B")
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

func (w *world) archives() {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		p, err := w.s.Project(ctx, "p1")
		if err != nil {
			return err
		}
		p.Status = project.Archived
		if err := w.s.SaveProject(ctx, p); err != nil {
			return err
		}
		return w.r.Archived(ctx, "p1")
	})
	w.settle()
}
