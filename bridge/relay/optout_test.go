package relay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/whatsapp"
)

// Who sent STOP gets nothing, not even a template, until they send START; others are
// asked, and what was theirs waits for them.
func TestOptOut(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 hi")
		w.outs = nil
		w.phone(dana, "Stop")
		w.phone(dana, "STOP", func(m *whatsapp.Inbound) { m.OptOut = "STOP" })
		if got := w.times("super_admin", "Dana sent STOP"); got != 1 {
			t.Errorf("told %d times", got)
		}
		w.says(carl, "customer", in(cmd, "more"))
		w.asks(xena, "direct"+xena, "beta")
		w.phone(dana, "list")
		w.now = w.now.Add(25 * time.Hour)
		w.says(carl, "customer", in(cmd, "still more"))
		w.phoneGot(dana)
		w.phoneGot(eli, "*#2* Xena · direct chat\nXena: beta")
		if p := w.must("super_admin", "This didn't reach Dana on WhatsApp: they sent STOP"); p.thread != w.root(n) || w.times("super_admin", "they sent STOP") != 1 {
			t.Errorf("told %+v", p)
		}
		w.phone(dana, "#1 all the same an answer")
		w.must("customer", "all the same an answer")
		w.phoneGot(dana)
		w.phone(dana, "Start!")
		got := w.got(dana)
		slices.Sort(got)
		if want := []string{"*#1* Carl: more", "*#1* Carl: still more", "Welcome back: I'll ask you again. `list` shows what's open."}; !slices.Equal(got, want) {
			t.Errorf("Dana got %q", got)
		}
		w.outs = nil
		w.must("super_admin", "Dana sent START")
		w.phone(dana, "Start")
		w.must("customer", "Start")
	})
}

// Words that Twilio takes for an opt-out only where it says so: nobody loses a "yes".
func TestOptOutByTwilio(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		w.asks(carl, "customer", "Shall we cancel?")
		for _, words := range []string{"Yes", "cancel", "END", "Quit"} {
			w.phone(dana, words)
			w.must("customer", words)
		}
		said := func(word string) func(*whatsapp.Inbound) {
			return func(m *whatsapp.Inbound) { m.OptOut = word }
		}
		w.phone(dana, "quit it", said("STOP"))
		w.phone(dana, "info", said("HELP"))
		w.phone(dana, "yes please", said("START"))
		w.must("super_admin", "Dana sent START")
		for _, words := range []string{"quit it", "info", "yes please"} {
			w.none("customer", words)
		}
	})
}

// MSG-22, HAND-11: an agent is known in each form that WhatsApp writes their number in, and
// without a number by WhatsApp's own id, once both came together.
func TestManyFormsOfOneNumber(t *testing.T) {
	const brazil, mexico, argentina = "+5511987654321", "+525512345678", "+541123456789"
	each(t, func(r *relay.Relay) {
		r.Agents = []handoff.Agent{{Phone: brazil, Name: "Bia"}, {Phone: mexico, Name: "Memo"}, {Phone: argentina, Name: "Ana"}}
	}, func(w *world) {
		w.asks(carl, "customer", "alpha")
		for _, form := range []string{"+551187654321", "+5215512345678", "+5491123456789"} {
			w.phone(form, "?")
			w.phone(form, "#1 from "+form)
		}
		w.must("customer", "from +551187654321")
		w.must("super_admin", "from +5215512345678") // another owns it
		w.none("super_admin", "isn't an agent")
		for _, phone := range []string{brazil, mexico, argentina} {
			if len(w.got(phone)) == 0 {
				t.Errorf("%s got nothing", phone)
			}
		}
	})
}

// HAND-11: who hides their number is known by WhatsApp's own id.
func TestHiddenNumber(t *testing.T) {
	const id = "DE.13491208655302741918"
	hidden := func(m *whatsapp.Inbound) { m.From, m.ExternalUserID = "", id }
	each(t, onlyDana, func(w *world) {
		w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 before it was known", hidden)
		w.none("customer", "before it was known")
		w.must("super_admin", "hides their number ("+id+")")
		w.phone(dana, "?", func(m *whatsapp.Inbound) { m.ExternalUserID = id })
		w.phone(dana, "#1 from nowhere", hidden)
		w.must("customer", "from nowhere")
		w.phone(dana, "done", hidden)
		if got := w.got(dana); !strings.Contains(strings.Join(got, "\n"), "Closed.") {
			t.Errorf("Dana got %q", got)
		}
		w.phone(dana, "#1 another who hides", func(m *whatsapp.Inbound) { m.From, m.ExternalUserID = "", "DE.9999" })
		w.none("customer", "another who hides")
	})
}
