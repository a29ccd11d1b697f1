package handle_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/policy"
)

const root = "@root:x"

// asked makes the rooms of a handoff: #1 is Carl's, in the customer lane, with its card
// in the super-admin room; taken is who owns it. #2 is in his direct chat.
func (d *desk) asked(taken bool) (question string) {
	d.t.Helper()
	d.h.Policy.Permissions[root] = policy.SuperAdmin
	d.lanes()
	d.tx(func(ctx context.Context) error {
		room, err := d.s.PrepareRoom(ctx, "super_admin", "", "")
		if err != nil {
			return err
		}
		return d.s.MadeRoom(ctx, room.Alias, "!staff", "12")
	})
	question = d.says("!customer", carl, "!lane human When?")
	d.tx(func(ctx context.Context) error { return d.s.SaveSent(ctx, handoff.Card(1), "!staff", "$card1") })
	if taken {
		d.says("!staff", root, "take 1")
	}
	d.says("!direct"+carl, carl, "human Why?")
	d.effects()
	return question
}

func (d *desk) inThread(room, sender, thread, body string) string {
	d.t.Helper()
	return d.event(room, sender, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": body,
		"m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": thread, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": thread}}}, false)
}

// answered is what the bot says to a place.
func answered(all []effect.Effect, to effect.Place) (notices []*effect.Message) {
	for _, e := range all {
		if m := e.Message; m != nil && m.To == to && m.Edits == "" && m.Reacts == "" && m.Content["msgtype"] == "m.notice" {
			notices = append(notices, m)
		}
	}
	return notices
}

// What reads like a command in a conversation goes to nobody, and whoever wrote it
// reads how to do either; what only sounds like one is carried.
func TestHeldCommands(t *testing.T) {
	each(t, func(d *desk) {
		question := d.asked(true)
		held := map[string]bool{
			"who": true, "WHO.": true, "handoffs mine": true, "add @xena:x expert": true, "revoke @xena:x unpaid": true, "approve #3": true, "deny 3": true, "project": true, "project list": true,
			"project create beta \"Beta\"": true, "help": true, "help add": true, "why @xena:x notes": true, "who acme": true, "plan": true, "request internal please": true, "request": true,
			"take 12": true, "close 9": true, "take --force": true, "ping": true, "`version`": true, "close": true,

			"close the old draft and send me the new one": false, "who knows": false, "help me": false, "remove 2 lines": false, "take care": false, "plan b it is": false, "\"who\"": false, "“close”": false,
			"request a refund": false, "add it": false, "take 12 of them": false, "pinging": false, "hello": false,
		}
		for words, want := range held {
			own := strings.HasPrefix(words, "close") // a command of the handoff itself, for the asker and in the card's thread
			for _, c := range []struct {
				place  effect.Place
				say    func() string
				copied effect.Place
			}{
				{effect.Place{Room: "!staff"}, func() string { return d.inThread("!staff", root, "$card1", words) }, effect.Place{Room: "!customer"}},
				{effect.Place{Room: "!customer"}, func() string { return d.inThread("!customer", carl, question, words) }, effect.Place{SuperAdmin: true}},
				{effect.Place{Person: carl}, func() string { return d.says("!direct"+carl, carl, words) }, effect.Place{SuperAdmin: true}},
			} {
				if own && words == "close" {
					continue
				}
				d.now = d.now.Add(time.Minute)
				event := c.say()
				all := d.effects()
				carried := false
				for _, e := range all {
					if m := e.Message; m != nil && m.To == c.copied && strings.Contains(fmt.Sprint(m.Content["body"]), words) {
						carried = true
					}
				}
				var advice *effect.Message
				for _, m := range answered(all, c.place) {
					if strings.Contains(fmt.Sprint(m.Content["body"]), "!lane "+strings.Trim(words, "`")) {
						advice = m
					}
				}
				if carried == want || (advice != nil) != want {
					t.Errorf("%q in %+v: carried %v, advice %v", words, c.place, carried, advice)
				}
				if advice != nil && (advice.ReplyTo != effect.Ref(event) || (c.place.Person != "") == (advice.Thread != "")) {
					t.Errorf("%q in %+v: the advice stands in %q, as a reply to %q", words, c.place, advice.Thread, advice.ReplyTo)
				}
			}
		}
	})
}

// Asking again without the prefix is held, too, where somebody asks; for whoever
// answers it is no command.
func TestAskingAgainIsHeld(t *testing.T) {
	each(t, func(d *desk) {
		question := d.asked(true)
		for _, words := range []string{"human", "human and where?"} { // --private: TestPrivateQuestionsLeaveTheLane
			d.now = d.now.Add(time.Minute)
			d.says("!direct"+carl, carl, words)
			d.inThread("!customer", carl, question, words)
			all := d.effects()
			for _, to := range []effect.Place{{Room: "!customer"}, {Person: carl}} {
				if said := answered(all, to); len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "!lane "+words) {
					t.Errorf("%q in %+v is answered by %v", words, to, said)
				}
			}
			if said := answered(all, effect.Place{SuperAdmin: true}); len(said) > 0 {
				t.Errorf("%q reaches staff: %v", words, said[0].Content)
			}
		}
		d.says("!direct"+carl, carl, "human --private it is late")
		if said := answered(d.effects(), effect.Place{Person: carl}); len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "!lane human --private it is late") {
			t.Errorf("in the direct chat it is answered by %v", said)
		}
		d.inThread("!staff", root, "$card1", "human resources will call you")
		if !strings.Contains(fmt.Sprint(bodies(d.effects())), "human resources") {
			t.Error("the owner's words do not reach the asker")
		}
	})
}

// A handoff's own words are commands in the card's thread; close is one for its asker.
func TestOwnWords(t *testing.T) {
	each(t, func(d *desk) {
		question := d.asked(false)
		state := func(n int64) (state string) {
			d.tx(func(ctx context.Context) error {
				h, err := d.s.Handoff(ctx, n)
				if h != nil {
					state = string(h.State)
				}
				return err
			})
			return state
		}
		for _, c := range []struct{ words, want string }{{"take", "taken"}, {"release #1", "open"}, {"take 1", "taken"}, {"Close.", "closed"}, {"reopen", "open"}, {"close #2", "open"}} {
			event := d.inThread("!staff", root, "$card1", c.words)
			if got := state(1); got != c.want {
				t.Errorf("%s: %s, want %s", c.words, got, c.want)
			}
			said := answered(d.effects(), effect.Place{Room: "!staff"})
			if len(said) != 1 || said[0].Thread != "$card1" || said[0].ReplyTo != effect.Ref(event) {
				t.Errorf("%s is answered by %d notices", c.words, len(said))
			}
		}
		d.inThread("!customer", mia, question, "close")
		if state(1) != "open" {
			t.Error("somebody who did not ask closes it with a word")
		}
		d.inThread("!customer", carl, question, "close")
		if state(1) != "closed" {
			t.Error("the asker does not close it with a word")
		}
		d.effects()
		event := d.says("!direct"+carl, carl, "close 2")
		if state(2) != "closed" {
			t.Error("the asker does not close it with a word in the direct chat")
		}
		said := answered(d.effects(), effect.Place{Person: carl})
		if len(said) != 1 || said[0].Thread != "" || said[0].ReplyTo != effect.Ref(event) {
			t.Errorf("answered by %+v", said)
		}
	})
}

// W9: what is no message is not carried from a conversation, and that is said.
func TestStickersAreNotCarried(t *testing.T) {
	each(t, func(d *desk) {
		question := d.asked(true)
		in := func(root string, content map[string]any) map[string]any {
			content["m.relates_to"] = map[string]any{"rel_type": "m.thread", "event_id": root}
			return content
		}
		for _, c := range []struct {
			typ     string
			content map[string]any
		}{
			{"m.sticker", map[string]any{"body": "a cat"}},
			{"org.matrix.msc3381.poll.start", map[string]any{"org.matrix.msc3381.poll.start": map[string]any{"question": map[string]any{"body": "when?"}}}},
			{"m.poll.start", map[string]any{"m.poll": map[string]any{}}},
		} {
			d.event("!customer", carl, c.typ, nil, in(question, c.content), false)
			if said := answered(d.effects(), effect.Place{Room: "!customer"}); len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "support hasn't seen this one") {
				t.Errorf("%s: the asker reads %v", c.typ, said)
			}
			d.event("!staff", root, c.typ, nil, in("$card1", c.content), false)
			if said := answered(d.effects(), effect.Place{SuperAdmin: true}); len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "the asker hasn't got this one") {
				t.Errorf("%s: the owner reads %v", c.typ, said)
			}
			delete(c.content, "m.relates_to")
			d.event("!direct"+carl, carl, c.typ, nil, c.content, false)
			if said := answered(d.effects(), effect.Place{Person: carl}); len(said) != 1 {
				t.Errorf("%s: in the direct chat the asker reads %v", c.typ, said)
			}
			d.event("!customer", carl, c.typ, nil, c.content, false)
			if said := d.effects(); len(said) != 0 {
				t.Errorf("%s outside of the thread: %v", c.typ, said)
			}
		}
	})
}

// U2: a wish for privacy that is not understood for sure is not overheard.
func TestPrivacyFailsClosed(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		for _, words := range []string{"-private my salary", "my salary --private", "my salary -private.", "‐‐private my salary", "−private my salary", "——private my salary", "please, —private: my salary", "-PRIVATE my salary", "(--private) my salary", "-- private my salary"} {
			d.now = d.now.Add(time.Minute)
			event := d.says("!customer", carl, "!lane human "+words)
			if wrong := d.hushed(d.effects(), "!customer", event, carl, "bad_argument", "salary"); len(wrong) > 0 {
				t.Errorf("%q: %q", words, wrong)
			}
		}
		for _, words := range []string{"--private my salary", "—private my salary", "is there private parking?", "a semi-private room", "- private parking"} {
			d.now = d.now.Add(time.Minute)
			d.says("!customer", carl, "!lane human "+words)
			if all := d.effects(); !strings.Contains(fmt.Sprint(bodies(all)), "support team") && !strings.Contains(fmt.Sprint(bodies(all)), "Passed to support") {
				t.Errorf("%q is not asked: %q", words, bodies(all))
			}
		}
	})
}

// U17: commands are read as people write them, with the end of a sentence, as code,
// with links that nothing made HTML of.
func TestCommandsAsWritten(t *testing.T) {
	each(t, func(d *desk) {
		d.asked(false)
		for _, words := range []string{"!lane ping.", "`!lane ping`", "```\n!lane ping\n```", "!lane who!", "!lane why [Xena Zed](https://matrix.to/#/@xena:x)", "!lane why <https://matrix.to/#/@xena:x>",
			"!lane why [Xena](<https://matrix.to/#/@xena:x>) internal", "!lane project show acme.", "!lane close #1."} {
			d.says("!internal", root, words)
			all := d.effects()
			said := append(answered(all, effect.Place{Room: "!internal"}), answered(all, effect.Place{Person: root})...)
			if len(said) == 0 || holds([]map[string]any{said[0].Content}, "bad_argument", "unknown_command") {
				t.Errorf("%q is answered by %v", words, said)
			}
		}
	})
}

// L2: a bare close says nothing about which of several open questions is done.
func TestCloseAsksWhich(t *testing.T) {
	each(t, func(d *desk) {
		d.asked(false)
		room := "!direct" + carl
		third := d.says(room, carl, "!lane human And where?")
		d.effects()
		open := func(want ...int64) {
			t.Helper()
			var have []int64
			for _, h := range d.talks() {
				have = append(have, h.Number)
			}
			if !slices.Equal(have, want) {
				t.Errorf("L2 open are %v, want %v", have, want)
			}
		}
		for _, words := range []string{"close", "Close.", "!lane close"} {
			event := d.says(room, carl, words)
			said := answered(d.effects(), effect.Place{Person: carl})
			if len(said) != 1 || said[0].ReplyTo != effect.Ref(event) || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "#2 and #3") || !holds([]map[string]any{said[0].Content}, "bad_argument") {
				t.Errorf("L2 %q is answered by %v", words, said)
			}
			open(1, 2, 3)
		}
		d.event(room, carl, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "close", "m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": third}}}, false)
		open(1, 2)
		d.says(room, carl, "!lane human And who?")
		d.says(room, carl, "close 2")
		open(1, 4)
		d.says(room, carl, "close")
		open(1)
	})
}

// R8, U17: a private question is no context for anybody, also where it joins an older
// one, and however its command is spelled; nor are other commands.
func TestCommandsAreNoContext(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.h.Relay.Limits.Open, d.h.Relay.Context = 1, 10
		d.says("!customer", carl, "!lane human --private first")
		d.says("!customer", carl, "\u200f!lane human --private CANARY")
		d.says("!customer", carl, "`!lane human --private CANARY`")
		d.says("!customer", mia, "`!lane who CANARY`")
		d.says("!customer", mia, "hello")
		d.effects()
		d.now = d.now.Add(time.Second)
		d.says("!customer", mia, "!lane human what?")
		said := strings.Join(words(d.effects()), "\n")
		if strings.Contains(said, "CANARY") || !strings.Contains(said, "hello") {
			t.Errorf("said: %s", said)
		}
	})
}

// L3: who asks in a plain reply to what is closed opens that again, and reads so, and
// how to ask anew.
func TestAskingWhereItIsClosed(t *testing.T) {
	each(t, func(d *desk) {
		question := d.asked(false)
		second := d.says("!direct"+carl, carl, "!lane human Where?")
		d.inThread("!customer", carl, question, "close")
		d.says("!direct"+carl, carl, "close 3")
		d.effects()
		for _, c := range []struct {
			room, on string
			n        int64
			to       effect.Place
		}{{"!customer", question, 1, effect.Place{Room: "!customer"}}, {"!direct" + carl, second, 3, effect.Place{Person: carl}}} {
			d.event(c.room, carl, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "!lane human And now?", "m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": c.on}}}, false)
			if open := d.talks(); !slices.ContainsFunc(open, func(h *handoff.Handoff) bool { return h.Number == c.n }) {
				t.Errorf("L3 #%d is not open again", c.n)
			}
			said := answered(d.effects(), c.to)
			if len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "I've reopened this") || !strings.Contains(fmt.Sprint(said[0].Content["body"]), "For a new question") {
				t.Errorf("L3 #%d is answered by %v", c.n, said)
			}
		}
	})
}
