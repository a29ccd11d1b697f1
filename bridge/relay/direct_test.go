package relay_test

import (
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/relay"
)

// In a direct chat what comes back is a plain reply to the latest that the asker said
// of that handoff, and what they say is marked when it went to those who are asked.
func TestDirectChatHasNoThreads(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, first := w.asks(carl, "direct"+carl, "alpha")
		if p := w.must("direct"+carl, "I've passed this to our support team"); p.thread != "" || p.reply != first {
			t.Errorf("first notice: %+v", p)
		}
		w.phone(dana, "one")
		if p := w.must("direct"+carl, "**Dana:** one"); p.thread != "" || p.reply != first || p.body != "**Dana:** one" {
			t.Errorf("answer: %+v", p)
		}
		more := w.says(carl, "direct"+carl, body("more"))
		if !w.marked(more, "📤") {
			t.Error("what went to the agents is not marked")
		}
		quoted := w.last(dana)
		w.says(carl, "direct"+carl, body("and more"))
		w.phone(dana, "two", quoting(quoted.sid))
		if p := w.must("direct"+carl, "**Dana:** two"); p.thread != "" || p.reply == more || p.reply == "" {
			t.Errorf("answer to what was said last: %+v", p)
		}
		_, second := w.asks(carl, "direct"+carl, "beta")
		w.phone(dana, "#1 three")
		if p := w.must("direct"+carl, "three"); p.body != "#1 · **Dana:** three" || !strings.HasPrefix(p.html, "#1 · ") || p.reply == second {
			t.Errorf("answer where two are open: %+v", p)
		}
		inThread := w.says(carl, "direct"+carl, in(second, "in a thread that I began"))
		w.phone(dana, "#2 four")
		if p := w.must("direct"+carl, "four"); p.body != "#2 · **Dana:** four" || p.thread != second || p.reply != inThread {
			t.Errorf("answer in a thread of the asker's own: %+v", p)
		}
		w.outs = nil
		answer := w.must("direct"+carl, "three")
		w.says(carl, "direct"+carl, in(answer.id, "a thread on an answer"))
		w.says(carl, "direct"+carl, replying(answer.id, "a reply to an answer"))
		w.phoneGot(dana, "*#1* Carl: a thread on an answer", "*#1* Carl: a reply to an answer")
		w.phone(dana, "done 2")
		w.phone(dana, "#1 five")
		if p := w.must("direct"+carl, "five"); p.body != "**Dana:** five" {
			t.Errorf("one is left: %+v", p)
		}
	})
}

// What the last words about a question say in a direct chat is so: a reply to them opens it again.
func TestReplyOpensAgain(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, question := w.asks(carl, "direct"+carl, "alpha")
		w.phone(dana, "done 1")
		last := w.must("direct"+carl, "Just reply to this message")
		for words, to := range map[string]string{"a reply to its end": last.id, "a reply to the question": question} {
			w.outs = nil
			w.says(carl, "direct"+carl, replying(to, words))
			if w.card(1)["state"] != "open" || len(w.got(dana)) == 0 || !strings.Contains(w.got(dana)[0], words) {
				t.Errorf("%s: %v, %q", words, w.card(1)["state"], w.got(dana))
			}
			w.phone(dana, "done 1")
		}
	})
}

// R1: where the open handoffs of a direct chat are not read by the same people,
// the asker says which one is meant.
func TestDirectChatAsksWhich(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		ev := w.wrote(xena, "internal", body("!lane human --private what is the margin?"))
		n := w.ask(relay.AskInput{Asker: xena, Room: w.rooms["internal"], Event: ev.ID, Question: "what is the margin?", Private: true, At: ev.TS})
		notice := w.must("direct"+xena, "what is the margin?")
		w.asks(xena, "direct"+xena, "beta")
		w.outs = nil
		held := w.says(xena, "direct"+xena, body("CANARY I would say 60 percent"))
		w.phoneGot(dana)
		w.none("super_admin", "CANARY")
		if w.marked(held, "📤") {
			t.Error("what was not sent is marked as sent")
		}
		if p := w.must("direct"+xena, "Is that for #1 or #2?"); p.reply != held || p.msgtype != "m.notice" {
			t.Errorf("asked by %+v", p)
		}
		w.says(xena, "direct"+xena, replying(notice.id, "I would say 60 percent"))
		w.phoneGot(dana)
		if w.find("super_admin", "60 percent") == nil {
			t.Error("staff do not read what answers a message of theirs")
		}
		w.closes(root, "super_admin", w.root(n))
		w.says(xena, "direct"+xena, body("only one is left"))
		w.phoneGot(dana, "*#2* Xena: only one is left")
	})
}

// W7, W8, U6: a plain reply to any message of the thread counts as in it, also to one
// that answers there and was not carried, and so does a thread on one of them.
func TestPlainRepliesCount(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "an answer")
		answer := w.must("customer", "an answer")
		w.outs = nil
		mias := w.says(mia, "customer", replying(answer.id, "I see it like Dana"))
		own := w.says(carl, "customer", replying(mias, "I do not"))
		w.says(carl, "customer", in(own, "and here is why"))
		w.phoneGot(dana, "*#1* Mia wrote in the lane.", "*#1* Carl: I do not", "*#1* Carl: and here is why")
		w.says(mia, "customer", in(cmd, "in the thread"))
		ev := w.wrote(carl, "customer", replying(answer.id, "!lane human another question"))
		if joined := w.ask(relay.AskInput{Asker: carl, Room: w.rooms["customer"], Event: ev.ID, Question: "another question", ReplyTo: answer.id, At: ev.TS}); joined != n {
			t.Errorf("W7: a question that answers in the thread opened #%d", joined)
		}
		ev = w.wrote(carl, "customer", in(own, "!lane human and one more"))
		if joined := w.ask(relay.AskInput{Asker: carl, Room: w.rooms["customer"], Event: ev.ID, Question: "and one more", Thread: own, At: ev.TS}); joined != n {
			t.Errorf("U6: a question in a thread on an own reply opened #%d", joined)
		}
		if got := w.in("customer"); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "#2") }) {
			t.Errorf("in the lane: %q", got)
		}
	})
}

// U6: who writes in the lane after an answer, outside of the thread, is told once that
// this reaches nobody.
func TestHintAfterAnAnswer(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.says(carl, "customer", body("to all of you"))
		w.none("customer", "This stayed in the room")
		w.phone(dana, "an answer")
		w.outs = nil
		w.says(mia, "customer", body("somebody else"))
		w.none("customer", "This stayed in the room")
		lost := w.says(carl, "customer", body("thanks, and the other one?"))
		w.phoneGot(dana)
		if p := w.must("customer", "This stayed in the room"); p.reply != lost || p.thread != "" || p.msgtype != "m.notice" {
			t.Errorf("hint: %+v", p)
		}
		w.says(carl, "customer", in(cmd, "in the thread"))
		w.phone(dana, "#1 another answer")
		before := len(w.posts)
		w.says(carl, "customer", body("and again"))
		if len(w.posts) != before {
			t.Errorf("told again: %+v", w.posts[before:])
		}
	})
}

// U15: what shows nothing is no message.
func TestNothingToBeSeen(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		posts := len(w.posts)
		w.says(carl, "customer", in(cmd, "\u200b\u2060"))
		w.phoneGot(dana)
		w.phone(dana, "\u200e")
		if len(w.posts) != posts || w.card(n)["state"] != "open" {
			t.Errorf("said: %+v", w.posts[posts:])
		}
		w.phone(dana, "#1 \u200b")
		w.phoneGot(dana, "*#1* Put your answer after the number: `#12 Tomorrow at noon.`")
	})
}
