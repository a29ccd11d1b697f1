package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
)

// leaves takes Xena out of the project; end says whether her conversations end with it,
// as they do where the removal is by command.
func (w *world) leaves(end bool) {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		p, err := w.s.Project(ctx, "p1")
		if err != nil {
			return err
		}
		p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == xena })
		if err := w.s.SaveProject(ctx, p); err != nil || !end {
			return err
		}
		return w.r.End(ctx, xena, "p1")
	})
	w.settle()
}

// R5: nobody reaches who was taken out of the project through what they asked in private
// there, by whatever door; whoever tries reads why.
func TestNoWayToRemovedPeople(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n := w.private(xena, "customer", "May I know the price?")
		w.takes(root, n, false)
		card := w.root(n)
		answer := w.says(root, "super_admin", in(card, "in time"))
		w.must("direct"+xena, "in time")
		w.leaves(true)
		before := len(w.in("direct" + xena))
		for name, try := range map[string]func(ctx context.Context) error{
			"reopen": func(ctx context.Context) error {
				_, _, err := w.r.Reopen(ctx, root, w.at("super_admin", card), n)
				return err
			},
			"take": func(ctx context.Context) error {
				_, _, err := w.r.Take(ctx, root, w.at("super_admin", card), n, false)
				return err
			},
		} {
			var refused *project.Error
			err := w.s.Tx(w.ctx, try)
			if !errors.As(err, &refused) || refused.Code != project.Conflict || !strings.Contains(refused.Sentence, "is no longer in the project, so nothing reaches them") {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.reacts(root, "super_admin", card, "✋")
		w.must("super_admin", "is no longer in the project, so nothing reaches them")
		w.phone(dana, "take 1")
		if said := w.last(dana).body; !strings.Contains(said, "is no longer in that project, so this wasn't sent") {
			t.Errorf("the agent reads %q", said)
		}
		w.says(root, "super_admin", in(card, "CANARY too late"))
		w.edits(root, "super_admin", answer, "CANARY changed")
		if h := w.load(n); h.State != handoff.Closed {
			t.Errorf("#%d is %s", n, h.State)
		}
		if got := w.in("direct" + xena); len(got) != before || strings.Contains(strings.Join(got, "\n"), "CANARY") {
			t.Errorf("Xena reads %q", got[before:])
		}
	})
}

// R5: the same where a conversation is open all the same.
func TestNoAnswerToRemovedPeople(t *testing.T) {
	for _, owner := range []string{root, dana} {
		each(t, nil, func(w *world) {
			w.wake()
			n := w.private(xena, "customer", "May I know the price?")
			if owner == root {
				w.takes(root, n, false)
			}
			w.leaves(false)
			if owner == root {
				said := w.says(root, "super_admin", in(w.root(n), "CANARY"))
				if !w.marked(said, handoff.MarkKept) || w.marked(said, handoff.MarkSent) {
					t.Error("it is not marked as kept")
				}
			} else {
				w.phone(dana, "CANARY")
				if said := w.last(dana).body; !strings.Contains(said, "is no longer in that project, so this wasn't sent") {
					t.Errorf("the agent reads %q", said)
				}
			}
			w.must("super_admin", "is no longer in the project, so nothing reaches them")
			w.none("direct"+xena, "CANARY")
		})
	}
}

// U10: whoever asked in their direct chat and is gone from it reads no answer, and
// staff and the agent are told.
func TestAskerGoneFromDirectChat(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "direct"+carl, "When?")
		w.tx(func(ctx context.Context) error {
			raw, _ := json.Marshal(map[string]any{"event_id": "$gone", "type": "m.room.member", "state_key": carl, "sender": carl, "content": map[string]any{"membership": "leave"}})
			ev, err := matrix.ParseEvent("!direct"+carl, raw)
			if err != nil {
				return err
			}
			return w.s.PutState(ctx, ev)
		})
		w.phone(dana, "Tomorrow")
		w.must("super_admin", "The asker has left that room")
		if said := w.last(dana).body; !strings.Contains(said, "won't read your answer") {
			t.Errorf("the agent reads %q", said)
		}
	})
}
