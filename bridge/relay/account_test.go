package relay_test

import (
	"strings"
	"testing"

	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// While Twilio refuses the account everything is kept, staff are alerted once, and one
// message in ten minutes is tried; when that works everything goes out, once and in order.
func TestAccountRefused(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asked = nil
		w.refuse = func(*store.Part) *whatsapp.Error { return whatsapp.Classify(63007, 400, "") }
		_, cmd := w.asks(carl, "customer", "alpha")
		w.says(carl, "customer", in(cmd, "more"))
		w.asks(xena, "direct"+xena, "beta")
		if len(w.asked) != 1 {
			t.Errorf("%d requests", len(w.asked))
		}
		if p := w.must("super_admin", "WhatsApp has stopped: from is no WhatsApp sender of this account (Twilio 63007"); p.msgtype != "m.text" || len(p.mentions) != 2 {
			t.Errorf("alarm: %+v", p)
		}
		w.now = w.now.Add(phone.ProbeEvery)
		w.settle()
		if len(w.asked) != 2 {
			t.Errorf("%d requests after ten minutes", len(w.asked))
		}
		// A process that starts anew tries once, too.
		w.q.Breaker = whatsapp.NewBreaker(phone.ProbeEvery, w.s.Now)
		if err := w.q.Start(w.ctx, nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if len(w.asked) != 3 {
			t.Errorf("%d requests after a start", len(w.asked))
		}
		w.refuse = nil
		w.settle()
		w.phoneGot("")
		w.now = w.now.Add(phone.ProbeEvery)
		w.settle()
		alpha, beta := "*#1* Carl · Acme, customer lane\nCarl: alpha", "*#2* Xena · direct chat\nXena: beta"
		w.phoneGot(dana, alpha, "*#1* Carl: more", beta)
		w.phoneGot(eli, alpha, "*#1* Carl: more", beta)
		if got := strings.Join(w.in("super_admin"), "\n"); strings.Count(got, "has stopped") != 1 || strings.Count(got, "works again") != 1 || strings.Contains(got, "didn't reach") {
			t.Errorf("told %s", got)
		}
	})
}

// The same where Twilio takes messages, and tells by callbacks that it may not send them.
func TestAccountRefusedLater(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		first, second := w.last(dana), w.last(eli)
		w.outs = nil
		w.status(first, "failed", 63051)
		w.status(second, "failed", 63051)
		w.status(second, "failed", 63051)
		w.phoneGot("")
		w.now = w.now.Add(phone.ProbeEvery)
		w.settle()
		if len(w.outs) != 1 { // that Twilio took it proves nothing
			t.Fatalf("out %+v", w.outs)
		}
		w.status(first, "delivered", 0)
		probe := w.outs[0]
		w.status(probe, "sent", 0)
		if got := w.got(""); len(got) != 2 || got[0] != got[1] {
			t.Errorf("out %q", got)
		}
		if got := strings.Join(w.in("super_admin"), "\n"); strings.Count(got, "has stopped") != 1 || strings.Count(got, "works again") != 1 || strings.Contains(got, "didn't reach") {
			t.Errorf("told %s", got)
		}
	})
}

// What a question cost stands on its card when it is closed.
func TestCostOnTheCard(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 hi")
		w.says(carl, "customer", in(cmd, "thanks"))
		w.closes(root, "super_admin", w.root(n))
		if got := w.edited(n); !strings.Contains(got, "Closed by root. 3 messages on WhatsApp.") {
			t.Errorf("card %q", got)
		}
	})
}
