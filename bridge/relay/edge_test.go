package relay_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
)

// MSG-23: until its first part is tried a line can be changed, also when its turn
// has begun.
func TestEditBeforeTrying(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Agents = r.Agents[:1] }, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		_, cmd := w.asks(carl, "customer", "alpha")
		ev := w.wrote(carl, "customer", in(cmd, "tpyo"))
		w.tx(func(ctx context.Context) error {
			_, err := w.r.LaneMessage(ctx, ev, w.rooms["customer"])
			return err
		})
		turn := func() (turn phone.Turn) {
			w.tx(func(ctx context.Context) (err error) {
				turn, err = w.q.Turn(ctx, effect.WhatsApp{To: dana})
				return err
			})
			return turn
		}
		first := turn()
		if len(first.Parts) != 1 || first.Parts[0].Body != "*#1* Carl: tpyo" {
			t.Fatalf("turn: %+v", first)
		}
		w.tx(func(ctx context.Context) error {
			edit := &matrix.Event{ID: "$e", Room: ev.Room, Sender: carl, Type: ev.Type, Content: map[string]any{
				"m.new_content": map[string]any{"msgtype": "m.text", "body": "typo"}, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": ev.ID}}}
			_, err := w.r.Edit(ctx, edit)
			return err
		})
		if err := w.s.Tx(w.ctx, func(ctx context.Context) error { _, err := w.q.Trying(ctx, first.Parts[0]); return err }); !errors.Is(err, phone.ErrChanged) {
			t.Errorf("old words are tried: %v", err)
		}
		w.outs = nil
		w.settle()
		w.phoneGot(dana, "*#1* Carl: typo")
	})
}

// An owner who can answer no more does not swallow what the asker writes.
func TestOrphan(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(eli, "#1 hi")
		w.r.Agents = w.r.Agents[:1]
		w.outs = nil
		w.says(carl, "customer", in(cmd, "still there?"))
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: still there?\n\nBefore that:\nCarl: alpha\nSupport: hi")
		if c := w.card(n); c["state"] != "open" {
			t.Errorf("card: %v", c)
		}
		w.takes(root, n, false)
		w.r.May = func(user string) bool { return user == olga }
		kept := w.says(root, "super_admin", in(w.root(n), "CANARY I still answer"))
		if !w.marked(kept, "🔒") {
			t.Error("no 🔒")
		}
		w.none("customer", "CANARY")
		w.phone(dana, "#1 I am here")
		if w.find("customer", "I am here") == nil || w.card(n)["owner"].(map[string]any)["name"] != "Dana" {
			t.Errorf("an agent cannot help: %v", w.card(n))
		}
		w.r.May = func(user string) bool { return true }
		w.takes(root, n, true)
		w.r.May = func(user string) bool { return false }
		w.says(carl, "customer", in(cmd, "and now?"))
		if c := w.card(n); c["state"] != "open" {
			t.Errorf("card: %v", c)
		}
	})
}

// Long questions fit: the card shows their beginning, its thread all of it. MSG-08
func TestLong(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Agents = r.Agents[:1] }, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		long := strings.Repeat("A sentence of six words here. ", 2000)
		q := w.wrote(carl, "customer", body(long)).ID
		w.hands(carl, "customer", q, "")
		if p := w.must("super_admin", "🟠 #1 · "); len(p.body) > 5000 || !strings.Contains(p.body, "(shortened)") {
			t.Errorf("the card has %d bytes", len(p.body))
		}
		if p := w.must("super_admin", "**Carl:** A sentence"); len(p.body)+len(p.html) > 60_000 {
			t.Errorf("the copy has %d bytes", len(p.body)+len(p.html))
		}
		joined := ""
		for i, s := range w.got(dana) {
			head := handoff.Tag(1, i+1, len(w.got(dana)))
			if !strings.HasPrefix(s, head) || len(s) > 1500 {
				t.Fatalf("part %d begins %.20q and has %d", i+1, s, len(s))
			}
			joined += strings.TrimPrefix(s, head) + " "
		}
		if strings.Count(joined, "A sentence of six words here.") != 2000 {
			t.Error("words are missing")
		}
	})
}

// reveal_agent: team — nobody's name reaches the asker.
func TestTeam(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Reveal = "team" }, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 hi")
		w.phone(dana, "pass 1")
		w.phone(eli, "#1 hello")
		w.takes(root, n, true)
		w.says(root, "super_admin", in(w.root(n), "good morning"))
		w.closes(root, "super_admin", w.root(n))
		w.tx(func(ctx context.Context) error {
			f, _, err := w.r.Close(ctx, carl, w.at("customer", cmd), 0)
			if f["owner"].(map[string]any)["name"] != "Support" {
				t.Errorf("result: %v", f)
			}
			return err
		})
		senders := map[string]bool{}
		for _, p := range w.posts {
			if p.room != "customer" {
				continue
			}
			senders[p.sender] = true
			for _, name := range []string{"Dana", "Eli", "root"} {
				if strings.Contains(p.body, name) {
					t.Errorf("the asker reads %q", p.body)
				}
			}
		}
		if p, _ := w.s.Project(w.ctx, "p1"); len(p.Guests) != 1 || p.Guests[0].Name != "Support" || len(senders) != 2 {
			t.Errorf("guests %+v, senders %v", p.Guests, senders)
		}
	})
}

// An agent with an MXID is one person on both sides.
func TestAgentOnBothSides(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Agents[0].User = olga }, func(w *world) {
		w.wake()
		n, _ := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 from the phone")
		w.says(olga, "super_admin", in(w.root(n), "from the desk"))
		a, b := w.must("customer", "from the phone"), w.must("customer", "from the desk")
		if a.sender != b.sender {
			t.Errorf("%s and %s", a.sender, b.sender)
		}
		if p, _ := w.s.Project(w.ctx, "p1"); len(p.Guests) != 1 || p.Guests[0].Name != "Dana (Support)" {
			t.Errorf("guests: %+v", p.Guests)
		}
	})
}

// The owner's edits and deletions follow the answer.
func TestOwnerChanges(t *testing.T) {
	each(t, nil, func(w *world) {
		n, _ := w.asks(carl, "customer", "alpha")
		w.takes(root, n, false)
		said := w.says(root, "super_admin", in(w.root(n), "tpyo"))
		a := w.must("customer", "tpyo")
		w.edits(root, "super_admin", said, "typo")
		last := w.posts[len(w.posts)-1]
		if last.edits != a.id || last.sender != a.sender || last.body != "typo" {
			t.Errorf("edit: %+v", last)
		}
		w.redacts(root, "super_admin", said)
		if last := w.posts[len(w.posts)-1]; last.redacts != a.id {
			t.Errorf("deletion: %+v", last)
		}
	})
}

// A handoff is changed by compare-and-set.
func TestCompareAndSet(t *testing.T) {
	each(t, nil, func(w *world) {
		n, _ := w.asks(carl, "customer", "alpha")
		one, two := w.load(n), w.load(n)
		w.tx(func(ctx context.Context) error { return w.s.SaveHandoff(ctx, one) })
		if err := w.s.Tx(w.ctx, func(ctx context.Context) error { return w.s.SaveHandoff(ctx, two) }); !errors.Is(err, store.ErrChanged) {
			t.Errorf("saved over it: %v", err)
		}
	})
}

// In a direct chat talk belongs to the newest open handoff, threads to their own.
func TestTwoInOneDirectChat(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, first := w.asks(carl, "direct"+carl, "alpha")
		w.asks(carl, "direct"+carl, "beta")
		w.outs = nil
		w.says(carl, "direct"+carl, body("newest"))
		w.says(carl, "direct"+carl, in(first, "in the thread"))
		w.phoneGot(dana, "*#2* Carl: newest", "*#1* Carl: in the thread")
		w.phone(dana, "done 2")
		w.outs = nil
		w.says(carl, "direct"+carl, body("the other one now"))
		w.phoneGot(dana, "*#1* Carl: the other one now")
		w.phone(dana, "done 1")
		ev := w.wrote(carl, "direct"+carl, body("ping"))
		talk, err := w.r.Talk(w.ctx, ev, w.rooms["direct"+carl])
		if err != nil || talk.In() {
			t.Errorf("all are closed, but: %v %v", talk, err)
		}
		if !slices.Contains(w.in("direct"+carl), "Dana marked this as answered. Need anything else? Just reply to this message. (#1)") {
			t.Errorf("told: %q", w.in("direct"+carl))
		}
	})
}
