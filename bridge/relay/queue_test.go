package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

func onlyDana(r *relay.Relay) { r.Agents = r.Agents[:1] }

// phoneRead checks what a phone got since the last time: for each message its tag and
// the words it ends with.
func (w *world) phoneRead(number string, want ...string) {
	w.t.Helper()
	got := w.got(number)
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		tag, words, _ := strings.Cut(want[i], " ")
		ok = strings.HasPrefix(got[i], tag+" ") && strings.HasSuffix(got[i], words)
	}
	if !ok {
		w.t.Errorf("%s got %q, want %q", number, got, want)
	}
	w.outs = slices.DeleteFunc(w.outs, func(o out) bool { return o.phone == number })
}

// C1. A template that Twilio refuses at once strands no line: what waits comes, in
// order and up to the last one, when the agent writes. Each handoff says that it
// waits.
func TestTemplateRefused(t *testing.T) {
	for _, code := range []int{63041, 21655, 21656, 21610, 21608, 63015, 63024} {
		t.Run(fmt.Sprintf("C1 %d", code), func(t *testing.T) {
			each(t, onlyDana, func(w *world) {
				w.refuse = func(p *store.Part) *whatsapp.Error {
					if p.Template() {
						return whatsapp.Classify(code, 400, "")
					}
					return nil
				}
				one, cmd := w.asks(carl, "customer", "alpha")
				two, _ := w.asks(xena, "direct"+xena, "beta")
				w.says(carl, "customer", in(cmd, "more of alpha"))
				w.phoneRead(dana)
				for _, n := range []int64{one, two} {
					p := w.must("super_admin", fmt.Sprintf("Anyone can take over with ✋ on the card. (#%d)", n))
					if p.thread != w.root(n) || !strings.Contains(p.body, fmt.Sprint(code)) || len(p.mentions) != 2 {
						t.Errorf("told: %+v", p)
					}
				}
				if got := strings.Count(strings.Join(w.in("super_admin"), "\n"), "This didn't reach"); got != 2 || len(w.asked) != 1 {
					t.Errorf("told %d times, %d requests", got, len(w.asked))
				}
				w.refuse = nil
				w.phone(dana, "", tapping("show:1"))
				w.phoneRead(dana, "*#1* alpha", "*#1* more of alpha", "*#2* beta")
				w.says(carl, "customer", in(cmd, "again"))
				w.phoneRead(dana, "*#1* again")
			})
		})
	}
}

// C1. A refused template is tried again a day later, and after a start: what was
// wrong with it may be mended.
func TestTemplateMended(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.refuse = func(*store.Part) *whatsapp.Error { return whatsapp.Classify(63041, 400, "") }
		w.asks(carl, "customer", "alpha")
		w.now = w.now.Add(23 * time.Hour)
		w.settle()
		if len(w.asked) != 1 {
			t.Fatalf("%d requests", len(w.asked))
		}
		w.now = w.now.Add(2 * time.Hour)
		w.settle()
		if len(w.asked) != 2 {
			t.Fatalf("%d requests", len(w.asked))
		}
		w.refuse = nil
		if err := w.q.Start(w.ctx, []string{dana}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.phoneRead(dana, "template 1")
		w.now = w.now.Add(48 * time.Hour)
		w.settle()
		w.phoneRead(dana) // it was asked, and about nothing else
	})
}

// C1. A template of which Twilio does not say what became of it is given up; the
// line waits.
func TestTemplateLost(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.refuse = func(*store.Part) *whatsapp.Error { return whatsapp.Classify(20500, 500, "") }
		n, _ := w.asks(carl, "customer", "alpha")
		for range 4 {
			w.now = w.now.Add(31 * time.Second)
			w.settle()
		}
		if p := w.must("super_admin", "This didn't reach Dana"); p.thread != w.root(n) || len(w.asked) != 2 {
			t.Errorf("told: %+v, %d requests", p, len(w.asked))
		}
		w.refuse = nil
		w.phone(dana, "", tapping("show:1"))
		w.phoneRead(dana, "*#1* alpha")
	})
}

// C1. A callback of an earlier try is faster than the refusal of a later one: the
// parts after it are sent.
func TestFastCallbackOfRefused(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		w.refuse = func(p *store.Part) *whatsapp.Error {
			w.refuse = nil
			w.tx(func(ctx context.Context) error {
				return w.q.Status(ctx, whatsapp.Status{MessageSID: "SMearlier", Ref: fmt.Sprint(p.ID), Status: "sent"})
			})
			return whatsapp.Classify(63005, 400, "")
		}
		w.asks(carl, "customer", strings.Repeat("word ", 500))
		if got := w.got(dana); len(got) != 1 || !strings.HasPrefix(got[0], "*#1* (2/2) ") {
			t.Errorf("got %q", got)
		}
	})
}

// C1. A job that is set aside gives up its line, which is said, and takes no other
// with it.
func TestParkedPhone(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.asks(carl, "customer", "alpha")
		n, _ := w.asks(xena, "direct"+xena, "beta")
		w.outs = nil
		for _, j := range w.jobs() {
			w.done(j, func(ctx context.Context) error { return w.q.Parked(ctx, dana) })
		}
		w.settle()
		w.must("super_admin", "Anyone can take over with ✋ on the card. (#1)")
		w.phone(dana, "#2 I am here")
		w.phoneRead(dana, "*#2* beta")
		w.must("direct"+xena, "I am here")
		if w.card(n)["state"] != "taken" {
			t.Error("not taken")
		}
	})
}

// C1. Lines that an earlier version left without a job go out after a start.
func TestStrandedBefore(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.asks(carl, "customer", "alpha")
		w.outs = nil
		if _, err := w.s.DB.Exec(w.ctx, "DELETE FROM job WHERE queue=$1", store.QueueWhatsApp); err != nil {
			t.Fatal(err)
		}
		if err := w.q.Start(w.ctx, []string{dana}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.phone(dana, "", tapping("show:1"))
		w.phoneRead(dana, "*#1* alpha")
	})
}

// M3. What WhatsApp refuses for the moment, told by callback, is tried four times in
// all; then staff and the asker are told.
func TestRetryEnds(t *testing.T) {
	for _, code := range []int{63018, 63017} {
		t.Run(fmt.Sprintf("M3 %d", code), func(t *testing.T) {
			each(t, onlyDana, func(w *world) {
				w.phone(dana, "?")
				w.outs = nil
				n, _ := w.asks(carl, "customer", "alpha")
				sids := []string{}
				for range 30 {
					o := w.last(dana)
					if slices.Contains(sids, o.sid) {
						break
					}
					sids = append(sids, o.sid)
					w.status(o, "failed", code)
					w.status(o, "failed", code) // Twilio repeats itself
					w.now = w.now.Add(5 * time.Minute)
					w.settle()
				}
				if len(sids) != 4 {
					t.Errorf("%d tries", len(sids))
				}
				if p := w.must("super_admin", "This didn't reach Dana"); p.thread != w.root(n) || len(p.mentions) != 2 {
					t.Errorf("told: %+v", p)
				}
				w.must("customer", "WhatsApp didn't deliver")
			})
		})
	}
}

// M3. A message that failed is not taken for the next try of its part when that one's
// outcome is looked up.
func TestFormerIsNotFound(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		w.asks(carl, "customer", "alpha")
		w.status(w.last(dana), "failed", 63018)
		w.refuse = func(*store.Part) *whatsapp.Error { w.refuse = nil; return whatsapp.Classify(20500, 500, "") }
		w.now = w.now.Add(2 * time.Minute)
		w.settle()
		w.now = w.now.Add(31 * time.Second)
		w.settle()
		w.phoneRead(dana, "*#1* alpha", "*#1* alpha")
	})
}

// D1. Nothing that a transaction body does to memory survives when it is rolled back
// and run again: of two senders one gets the part.
func TestTryingTwice(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		ev := w.wrote(carl, "customer", body("!lane human alpha"))
		w.tx(func(ctx context.Context) error {
			_, err := w.r.Ask(ctx, relay.AskInput{Asker: carl, Name: "Carl", Room: w.rooms["customer"], Event: ev.ID, Question: "alpha", At: ev.TS})
			return err
		})
		var turn phone.Turn
		w.tx(func(ctx context.Context) (err error) {
			turn, err = w.q.Turn(ctx, whatsappTo(dana))
			return err
		})
		given := *turn.Parts[0]
		rolledBack := errors.New("rolled back")
		if err := w.s.Tx(w.ctx, func(ctx context.Context) error {
			_, err := w.q.Trying(ctx, turn.Parts[0])
			return errors.Join(err, rolledBack)
		}); !errors.Is(err, rolledBack) {
			t.Fatal(err)
		}
		w.tx(func(ctx context.Context) error { _, err := w.q.Trying(ctx, &given); return err }) // another owner of the database
		if err := w.s.Tx(w.ctx, func(ctx context.Context) error { _, err := w.q.Trying(ctx, turn.Parts[0]); return err }); !errors.Is(err, phone.ErrChanged) {
			t.Errorf("D1: both send it: %v", err)
		}
	})
}

// D3. An old 63016 does not close a window that was opened since.
func TestOldWindowFailure(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Template = false }, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		_, cmd := w.asks(carl, "customer", "alpha")
		o := w.last(dana)
		w.phone(dana, "list")
		w.outs = nil
		w.status(o, "failed", 63016)
		w.says(carl, "customer", in(cmd, "more"))
		w.phoneRead(dana, "*#1* alpha", "*#1* more")
	})
}

// D18. A clock that is set back makes nobody ask Twilio again and again.
func TestClockSetBack(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		w.refuse = func(*store.Part) *whatsapp.Error { w.refuse = nil; return whatsapp.Classify(20500, 500, "") }
		w.asks(carl, "customer", "alpha")
		w.now = w.now.Add(-time.Hour)
		w.settle()
		w.now = w.now.Add(31 * time.Second) // half a minute by the new time, not an hour
		w.settle()
		w.phoneRead(dana, "*#1* alpha")
	})
}

// R8. Phones take turns between handoffs: who writes much keeps nobody waiting, and
// within a handoff the order stands.
func TestTurns(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		_, cmd := w.asks(carl, "customer", "alpha")
		for i := range 10 {
			w.says(carl, "customer", in(cmd, fmt.Sprint("more ", i)))
		}
		w.asks(xena, "direct"+xena, "beta")
		w.outs = nil
		w.phone(dana, "", tapping("show:1"))
		got, mine := w.got(dana), []string{}
		second := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "*#2* ") })
		if second < 1 || second > 2 {
			t.Errorf("R8: Xena's question is number %d: %q", second+1, got)
		}
		for _, s := range got {
			if _, words, ok := strings.Cut(s, ": more "); ok {
				mine = append(mine, words)
			}
		}
		if strings.Join(mine, "") != "0123456789" {
			t.Errorf("R8: out of order: %q", got)
		}
	})
}

// M7. A message of which Twilio never told the end is of unknown outcome: staff read
// that, once for a line, and what is told later still counts.
func TestUnknownOutcome(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		n, _ := w.asks(carl, "customer", strings.Repeat("word ", 500))
		outs := slices.Clone(w.outs)
		for _, o := range outs {
			w.status(o, "sent", 0)
			w.status(o, whatsapp.StatusUnknown, 0)
		}
		told := 0
		for _, p := range w.posts {
			if strings.Contains(p.body, "I don't know whether this reached Dana") && p.thread == w.root(n) && p.msgtype == "m.notice" {
				told++
			}
		}
		if len(outs) != 2 || told != 1 {
			t.Errorf("M7: %d parts, told %d times", len(outs), told)
		}
		w.status(outs[0], "failed", 63024)
		w.must("super_admin", "This didn't reach Dana")
		w.status(outs[1], "read", 0)
		w.status(outs[1], whatsapp.StatusUnknown, 0)
		if p, err := w.s.PartBySID(w.ctx, outs[1].sid); err != nil || p.State != "read" {
			t.Errorf("M7: %+v %v", p, err)
		}
	})
}

// U5. STOP is no answer, with or without Twilio's opt-out.
func TestStop(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 hi")
		for _, words := range []string{"STOP", "Stop", "stop.", "Unsubscribe", "stop all"} {
			w.phone(dana, "start")
			before := len(w.posts)
			w.phone(dana, words)
			if len(w.posts) != before+1 || w.posts[before].room != "super_admin" || !strings.Contains(w.posts[before].body, "Dana") {
				t.Errorf("U5: %q: %+v", words, w.posts[before:])
			}
		}
		w.phone(dana, "Stop the machine first")
		w.must("customer", "Stop the machine first")
	})
}

// U14. 🙋 in four skin tones on one message is one handoff and one notice.
func TestHandsInManyTones(t *testing.T) {
	each(t, nil, func(w *world) {
		q := w.wrote(carl, "customer", body("Is anybody there?")).ID
		for range 4 {
			if n := w.hands(carl, "customer", q, ""); n != 1 {
				t.Errorf("U14: #%d", n)
			}
		}
		if got := w.in("customer"); len(got) != 1 {
			t.Errorf("U14: %d notices: %q", len(got), got)
		}
		w.closes(root, "super_admin", w.root(1))
		w.hands(carl, "customer", q, "")
		if w.card(1)["state"] != "open" {
			t.Error("U14: a closed one is not opened again")
		}
	})
}
