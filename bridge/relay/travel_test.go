package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
)

// private is `human --private` in a lane; the bot takes the command away at once.
func (w *world) private(user, room, question string) int64 {
	w.t.Helper()
	ev := w.wrote(user, room, body("!lane human --private "+question))
	n := w.ask(relay.AskInput{Asker: user, Room: w.rooms[room], Event: ev.ID, Question: question, Private: true, At: ev.TS})
	return n
}

// silent fails if WhatsApp was ever sent the words.
func (w *world) silent(words string) {
	w.t.Helper()
	for _, o := range w.outs {
		if strings.Contains(o.body, words) {
			w.t.Errorf("%s reads %q", o.phone, o.body)
		}
	}
}

// R1: what somebody wrote in their direct chat for a handoff that stays in Matrix
// is no context of one that leaves, neither while the first is open nor after it.
func TestInternalWordsStay(t *testing.T) {
	for _, closed := range []bool{false, true} {
		each(t, nil, func(w *world) {
			w.wake()
			n := w.private(xena, "internal", "CANARY is he solvent?")
			w.says(xena, "direct"+xena, body("CANARY the margin is 60 percent"))
			if closed {
				w.tx(func(ctx context.Context) error {
					_, _, err := w.r.Close(ctx, xena, w.at("direct"+xena, ""), n)
					return err
				})
				w.settle()
			}
			_, cmd := w.asks(xena, "direct"+xena, "How do I change my password?")
			w.phoneHas(dana, "How do I change my password?")
			w.says(xena, "direct"+xena, replying(cmd, "and the second factor?"))
			w.phoneHas(dana, "second factor")
			w.phone(dana, "take 2")
			w.phone(dana, "pass 2")
			w.silent("CANARY")
			w.asks(xena, "direct"+xena, "one more") // context of what leaves goes along
			w.phoneHas(eli, "Xena: and the second factor?")
			w.silent("CANARY")
		})
	}
}

// R1: 🙋 on a message of a handoff that stays joins that one, in whatever thread the
// message stands.
func TestHandOnWordsThatStay(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n := w.private(xena, "internal", "CANARY is he solvent?")
		said := w.says(xena, "direct"+xena, body("CANARY the margin is 60 percent"))
		if joined := w.hands(xena, "direct"+xena, said, "$elsewhere"); joined != n {
			t.Errorf("#%d is opened with the words of #%d", joined, n)
		}
		w.silent("CANARY")
	})
}

// R1: the key of a reaction is words, too: it counts in the room where the answer
// stands, not where somebody names that answer.
func TestReactionFromElsewhere(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 Tomorrow at noon.")
		w.reacts(carl, "internal", w.must("customer", "Tomorrow at noon").id, "CANARY 60 percent")
		w.silent("CANARY")
	})
}

// phoneHas fails if a phone never got the words.
func (w *world) phoneHas(phone, words string) {
	w.t.Helper()
	for _, o := range w.outs {
		if o.phone == phone && strings.Contains(o.body, words) {
			return
		}
	}
	w.t.Errorf("%s did not get %q: %q", phone, words, w.got(phone))
}

// W2: words that went along as context are changed and taken back like all others:
// agents read of it, and staff do not keep the old ones.
func TestContextChanges(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		mias := w.wrote(mia, "customer", body("CANARY by mia")).ID
		card := w.wrote(carl, "customer", body("CANARY card number 4000")).ID
		tpyo := w.wrote(carl, "customer", body("tpyo")).ID
		w.asks(carl, "customer", "what now?")
		notice := w.must("super_admin", "CANARY card number").id
		w.outs = nil
		w.edits(carl, "customer", tpyo, "typo")
		w.phoneGot(dana, "*#1* Carl (correction): typo")
		w.redacts(carl, "customer", card)
		w.phoneGot(dana, "*#1* Carl deleted a message you received (withdrawn). Please delete it here, too.")
		w.redacts(mia, "customer", mias)
		w.phoneGot(dana, "*#1* Mia deleted a message you received (withdrawn). Please delete it here, too.")
		last := w.posts[len(w.posts)-1]
		if last.edits != notice || strings.Contains(last.body, "CANARY") || strings.Contains(last.body, "tpyo") || !strings.Contains(last.body, "typo") {
			t.Errorf("staff read %+v", last)
		}
		w.redacts(carl, "customer", tpyo)
		if last := w.posts[len(w.posts)-1]; last.redacts != notice {
			t.Errorf("nothing is left, and staff read %+v", last)
		}
	})
}

// W2: of a handoff that stays in Matrix staff alone read the context.
func TestInternalContextChanges(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		said := w.wrote(xena, "internal", body("CANARY 60 percent")).ID
		w.asks(xena, "internal", "what now?")
		notice := w.must("super_admin", "CANARY").id
		w.redacts(xena, "internal", said)
		if last := w.posts[len(w.posts)-1]; last.redacts != notice {
			t.Errorf("staff read %+v", last)
		}
		w.silent("CANARY")
	})
}

// R20: where two in one place have names that look alike, their MXIDs tell them apart.
func TestEqualNames(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		const other = "@m1a:x"
		raw := `{"event_id":"$twin","type":"m.room.member","state_key":"` + other + `","sender":"` + other + `","content":{"membership":"join","displayname":"Miа"},"origin_server_ts":1}`
		ev, err := matrix.ParseEvent("!customer", json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		w.tx(func(ctx context.Context) error { return w.s.PutState(ctx, ev) })
		w.wrote(other, "customer", body("I am Mia"))
		w.wrote(mia, "customer", body("so am I"))
		w.asks(carl, "customer", "who is?")
		w.phoneHas(dana, "Miа (@m1a:x): I am Mia\nMia (@mia:x): so am I")
		w.must("super_admin", "**Miа (@m1a:x):** I am Mia")
		if w.find("super_admin", "Carl (@") != nil {
			t.Error("carl is the only one")
		}
	})
}

// R12: the bot's marks are its own: an asker who reacts with one is quoted.
func TestReactionsAreNoMarks(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, _ := w.asks(carl, "customer", "alpha")
		w.takes(root, n, false)
		said := w.says(root, "super_admin", in(w.root(n), "It is paid."))
		a := w.must("customer", "It is paid.")
		for _, key := range []string{"🔒", "📤\ufe0f", "✋🏽", "Approved by root", "🔒🔒"} {
			w.reacts(carl, "customer", a.id, key)
		}
		if w.marked(said, "🔒") || w.marked(said, "✋🏽") || w.marked(said, "Approved by root") {
			t.Error("the asker makes the bot's marks")
		}
		w.must("super_admin", "**Carl (reaction):** 🔒")
		w.must("super_admin", "**Carl (reaction):** Approved by root")
		w.reacts(carl, "customer", a.id, "👍🏽")
		if !w.marked(said, "👍🏽") {
			t.Error("👍 is no mark")
		}
	})
}

// R1: 🙋 on words that were carried nowhere, as they could be for several questions, lets
// them leave no further than the one that stays.
func TestHandOnHeldWords(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		stays := w.private(xena, "internal", "CANARY is he solvent?")
		w.asks(xena, "direct"+xena, "How do I log in?")
		held := w.says(xena, "direct"+xena, body("CANARY the margin is 60 percent"))
		w.must("direct"+xena, "Is that for #1 or #2?")
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Close(ctx, xena, w.at("direct"+xena, ""), stays)
			return err
		})
		w.settle()
		n := w.hands(xena, "direct"+xena, held, "")
		w.must("super_admin", "CANARY the margin is 60 percent")
		w.edits(xena, "direct"+xena, held, "CANARY the margin is 70 percent")
		if h, err := w.s.Handoff(w.ctx, n); err != nil || h.Question.Plain != "CANARY the margin is 70 percent" {
			t.Errorf("%+v, %v", h, err)
		}
		w.asks(xena, "direct"+xena, "one more")
		w.silent("CANARY")
	})
}

// R1. Words that were held, since they may have been meant for a talk of staff, join no
// talk that leaves, however many handoffs their author has.
func TestHeldWordsOfManyHandoffs(t *testing.T) {
	each(t, func(r *relay.Relay) { onlyDana(r); r.Limits.Open = 2 }, func(w *world) {
		w.phone(dana, "?")
		w.private(xena, "internal", "what about the margin?")
		w.asks(xena, "direct"+xena, "and my invoice?")
		held := w.says(xena, "direct"+xena, body("CANARY of staff"))
		err := w.s.Tx(w.ctx, func(ctx context.Context) error {
			_, err := w.r.Ask(ctx, relay.AskInput{Asker: xena, Name: "Xena", Room: w.rooms["direct"+xena], Event: held, ByReaction: true, At: w.now})
			return err
		})
		w.settle()
		w.silent("CANARY")
		var refused *project.Error
		if !errors.As(err, &refused) || refused.Code != project.Conflict {
			t.Errorf("R1: %v", err)
		}
	})
}
