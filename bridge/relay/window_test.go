package relay_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// HAND-12: one template wakes a closed window, then the waiting text comes in order;
// the message that opens it is no answer.
func TestClosedWindow(t *testing.T) {
	each(t, nil, func(w *world) {
		_, cmd := w.asks(carl, "customer", "alpha")
		w.says(carl, "customer", in(cmd, "more of alpha"))
		w.asks(xena, "direct"+xena, "beta")
		w.phoneGot(dana, "template 1")
		w.phone(dana, "ok")
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: alpha", "*#1* Carl: more of alpha", "*#2* Xena · direct chat\nXena: beta",
			"You're connected for 24 hours. Your last message went to nobody: to answer, quote a question or start with its number, `#1`.")
		w.none("customer", "ok")
		w.phone(dana, "#1 opened and answered")
		w.must("customer", "opened and answered")

		w.phoneGot(eli, "template 1")
		w.phone(eli, "", tapping("show:1"))
		w.phoneGot(eli, "*#2* Xena · direct chat\nXena: beta", "*#1* Dana is already answering this.")
		w.phone(eli, "", tapping("show:1"))
		w.phoneGot(eli, "*#1* Dana is already answering this.")
		w.now = w.now.Add(24 * time.Hour)
		w.phone(eli, "#2 quick, with the number")
		w.must("direct"+xena, "quick, with the number")
		w.now = w.now.Add(24 * time.Hour)
		w.phone(eli, "a day later, without a number")
		w.none("direct"+xena, "a day later")
		w.says(xena, "direct"+xena, body("still there?"))
		w.now = w.now.Add(24 * time.Hour)
		w.says(xena, "direct"+xena, body("hello?"))
		w.outs = nil
		w.phone(eli, "pass 2")
		w.phoneGot(eli, "*#2* OK, I won't ask you about this one again.")
		w.phoneGot(dana, "template 2")
	})
}

// Without a template the card's thread says, once, that nothing could be sent.
func TestNoTemplate(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Template = false; r.Agents = r.Agents[:1] }, func(w *world) {
		n, cmd := w.asks(carl, "customer", "alpha")
		w.says(carl, "customer", in(cmd, "more"))
		w.phoneGot("")
		if p := w.must("super_admin", "🟠 #1 · "); len(p.mentions) != 2 {
			t.Errorf("staff are not mentioned: %+v", p)
		}
		if p := w.must("super_admin", "I couldn't reach Dana"); p.thread != w.root(n) {
			t.Errorf("told: %+v", p)
		}
		if got := strings.Count(strings.Join(w.in("super_admin"), "\n"), "I couldn't reach"); got != 1 {
			t.Errorf("told %d times", got)
		}
		w.phone(dana, "?")
		if got := w.got(dana); len(got) != 3 || !strings.Contains(got[0], "alpha") || !strings.Contains(got[1], "more") {
			t.Errorf("got %q", got)
		}
	})
}

// 63016 closes the window: the text waits behind a template, nothing is lost or
// said twice.
func TestWindowClosedByTwilio(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		o := w.last(dana)
		w.status(o, "failed", 63016)
		w.says(carl, "customer", in(cmd, "more"))
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: alpha", "template 1")
		w.status(o, "failed", 63016) // Twilio repeats itself
		w.phone(dana, "", tapping("show:1"))
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: alpha", "*#1* Carl: more")
		w.none("customer", "WhatsApp didn't deliver")
		w.none("super_admin", "This didn't reach")
	})
}

// A failure that reached nobody is said at the asker's message and in the thread.
func TestFailed(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.status(w.last(eli), "undelivered", 63024)
		w.none("customer", "WhatsApp didn't deliver")
		w.must("super_admin", "This didn't reach Eli on WhatsApp: the phone cannot receive this message (Twilio 63024")
		w.phone(dana, "#1 hi")
		q := w.says(carl, "customer", in(cmd, "more"))
		o := w.last(dana)
		w.status(o, "sent", 0)
		w.status(o, "failed", 63003)
		if p := w.must("customer", "WhatsApp didn't deliver"); p.reply != q || p.thread != cmd {
			t.Errorf("told: %+v", p)
		}
		if p := w.must("super_admin", "This didn't reach Dana"); p.thread != w.root(n) || len(p.mentions) != 2 {
			t.Errorf("told: %+v", p)
		}
		before := len(w.posts)
		w.status(o, "failed", 63003)
		w.status(o, "sent", 0)
		if len(w.posts) != before {
			t.Errorf("said again: %+v", w.posts[before:])
		}
		w.refuse = func(*store.Part) *whatsapp.Error { return whatsapp.Classify(63014, 400, "") }
		q = w.says(carl, "customer", in(cmd, "blocked"))
		if p := w.must("customer", "WhatsApp didn't deliver"); p.reply != q {
			t.Errorf("told: %+v", p)
		}
		w.must("super_admin", "63014")
	})
}

// What WhatsApp does not take for the moment is tried again.
func TestRetry(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		o := w.last(dana)
		w.status(o, "failed", 63018)
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: alpha")
		w.now = w.now.Add(2 * time.Minute)
		w.settle()
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: alpha")
		w.none("super_admin", "This didn't reach")
	})
}

// Too long for Twilio, which counts some characters twice: half as long, once.
func TestShorter(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Agents = r.Agents[:1] }, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		w.refuse = func(p *store.Part) *whatsapp.Error {
			if len(p.Body) > 1000 {
				return whatsapp.Classify(21617, 400, "")
			}
			return nil
		}
		w.asks(carl, "customer", strings.Repeat("word ", 250))
		got := w.got(dana)
		if len(got) != 2 || !strings.HasPrefix(got[0], "*#1* (1/2) ") || !strings.HasPrefix(got[1], "*#1* (2/2) ") {
			t.Errorf("got %q", got)
		}
	})
}

// MSG-04: read on WhatsApp is the ghost's receipt, once it has joined.
func TestRead(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.status(w.last(dana), "read", 0)
		for _, p := range w.posts {
			if p.typ == "m.receipt" {
				t.Errorf("a receipt before the ghost has joined: %+v", p)
			}
		}
		w.phone(dana, "#1 hi")
		q := w.says(carl, "customer", in(cmd, "more"))
		o := w.last(dana)
		w.status(o, "delivered", 0)
		w.status(o, "read", 0)
		p := w.posts[len(w.posts)-1]
		if p.typ != "m.receipt" || p.reacts != q || p.sender != w.must("customer", "hi").sender {
			t.Errorf("receipt: %+v", p)
		}
	})
}

// A callback may be faster than the answer to the request.
func TestFastCallback(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		o := w.last(dana)
		p, err := w.s.PartBySID(w.ctx, o.sid)
		if err != nil {
			t.Fatal(err)
		}
		p.SID, p.State = "", store.PartTrying
		if err := w.s.SavePart(w.ctx, p); err != nil {
			t.Fatal(err)
		}
		w.status(o, "delivered", 0)
		if err := w.q.LineSent(w.ctx, p.ID, o.sid, "queued"); err != nil {
			t.Fatal(err)
		}
		if p, err = w.s.PartBySID(w.ctx, o.sid); err != nil || p == nil || p.State != "delivered" {
			t.Errorf("part: %+v %v", p, err)
		}
	})
}

// An agent may be faster than Twilio's answer to the request that sent the question: what
// they write, without a quote or a number, waits for that. With another question open it
// would go to who asked that one.
func TestFastAnswer(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.wake()
		w.asks(xena, "direct"+xena, "older")
		answer := whatsapp.Inbound{MessageSID: "SMfast", From: dana, Body: "On Friday.", Type: "text"}
		write := func() error {
			return w.s.Tx(w.ctx, func(ctx context.Context) error { return w.r.Inbound(ctx, answer) })
		}
		var early error
		w.sending = func(o out) {
			if strings.Contains(o.body, "alpha") {
				early = write()
			}
		}
		w.asks(carl, "customer", "alpha")
		if early == nil {
			t.Error("it was routed while the question was being sent")
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.last(dana).body; !strings.HasPrefix(got, "Which one") {
			t.Errorf("Dana reads %q", got)
		}
	})
}

// A stranger gets no answer; staff are told once a day. HAND-11
func TestStranger(t *testing.T) {
	each(t, nil, func(w *world) {
		w.asks(carl, "customer", "alpha")
		w.outs = nil
		w.phone("+4915199999999", "#1 CANARY let me answer")
		w.phone("+4915199999999", "done 1")
		if got := w.got("+4915199999999"); len(got) != 0 {
			t.Errorf("got %q", got)
		}
		if n := strings.Count(strings.Join(w.in("super_admin"), "\n"), "+4915199999999"); n != 1 {
			t.Errorf("told %d times", n)
		}
		w.none("customer", "CANARY")
		w.none("super_admin", "CANARY")
		if w.card(1)["state"] != "open" {
			t.Error("closed by a stranger")
		}
	})
}

// Who became an agent is no stranger any more: their number is not forgotten as strangers' are.
func TestNoStrangerAnyMore(t *testing.T) {
	each(t, nil, func(w *world) {
		if err := w.s.SavePhone(w.ctx, &store.Phone{Number: dana, Told: w.now}); err != nil {
			t.Fatal(err)
		}
		w.phone(dana, "?")
		if p, err := w.s.Phone(w.ctx, dana); err != nil || !p.Told.IsZero() || p.Inbound.IsZero() {
			t.Errorf("%+v %v", p, err)
		}
	})
}

// What was found by listing has no quote: it is routed only where that cannot matter.
func TestListed(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		listed := func(m *whatsapp.Inbound) { m.Listed, m.Sent = true, w.now }
		w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 first")
		w.phone(dana, "lost on the way", listed)
		w.must("customer", "lost on the way")
		w.asks(xena, "direct"+xena, "beta")
		w.outs = nil
		w.phone(dana, "lost as well", listed)
		w.none("customer", "lost as well")
		if got := w.got(dana); len(got) != 1 || !strings.HasPrefix(got[0], "Which one") {
			t.Errorf("got %q", got)
		}
		w.phone(dana, "#2 lost with a number", listed)
		w.must("direct"+xena, "lost with a number")
	})
}

// Every MessageSid counts once, webhook or listing.
func TestOnce(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		same := func(m *whatsapp.Inbound) { m.MessageSID = "SMsame" }
		w.phone(dana, "#1 hello", same)
		w.phone(dana, "#1 hello", same, func(m *whatsapp.Inbound) { m.Listed = true })
		n := 0
		for _, s := range w.in("customer") {
			if s == "hello" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d answers", n)
		}
	})
}
