package durability_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// to matches requests to one phone.
func to(phone string) func(url.Values) bool {
	return func(form url.Values) bool { return form.Get("To") == "whatsapp:"+phone }
}

// TestTwilioFails lets Twilio fail in ways that end quickly: it says that it did not take a message, or took it and does not say
// so. Each time Carl writes three messages; they arrive once and in order, with no request too many: MSG-02.
func TestTwilioFails(t *testing.T) {
	k := newTalk(t, lab.WorldOptions{Shared: true})
	for _, c := range []struct {
		name  string
		calls int // requests for three messages
		quiet bool
		fault emulator.Fault
	}{
		{"429 with a time to wait", 5, false, emulator.Fault{Times: 2, Status: 429, Code: 20429, RetryAfter: time.Second}},
		{"429 as a page", 5, false, emulator.Fault{Times: 2, Status: 429}},
		{"500 though it was taken, known from a callback", 3, false, emulator.Fault{Times: 1, Status: 500, Code: 20500, Accept: true}},
		{"500 though it was taken, known from the listing", 3, true, emulator.Fault{Times: 1, Status: 500, Code: 20500, Accept: true}},
		{"503 as a page though it was taken", 3, true, emulator.Fault{Times: 1, Status: 503, Accept: true}},
		{"201 as a page", 3, true, emulator.Fault{Times: 1, Status: 201, Accept: true}},
		{"cut after it was taken, known from a callback", 3, false, emulator.Fault{Times: 1, Cut: true, Accept: true}},
		{"cut after it was taken, known from the listing", 3, true, emulator.Fault{Times: 1, Cut: true, Accept: true}},
		{"three cuts in a row", 3, true, emulator.Fault{Times: 3, Cut: true, Accept: true}},
		{"callbacks before the answer", 3, false, emulator.Fault{Times: 3, Accept: true, CallbackFirst: true}},
		{"callbacks before an answer that is cut", 3, false, emulator.Fault{Times: 3, Accept: true, CallbackFirst: true, Cut: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k.t = t
			k.Phones.Quiet(c.quiet)
			k.Phones.Faults(c.fault)
			before := k.Phones.Calls()
			for range 3 {
				k.asked++
				k.ask(k.asked)
			}
			k.arrive(30 * time.Second)
			if calls := k.Phones.Calls() - before; calls != c.calls {
				t.Errorf("%d requests for three messages, not %d", calls, c.calls)
			}
		})
	}
	k.t = t
	k.unsaid("WhatsApp didn't deliver")
}

// TestTwilioUnsure lets Twilio fail in ways that need time to find out: it did not take a message and does not say so, or took it and
// lists it late. The message is looked for, for half a minute, before it is sent once more: MSG-02.
func TestTwilioUnsure(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	for _, c := range []struct {
		name      string
		lag       time.Duration
		dana, eli emulator.Fault
		calls     int // for two messages to each
	}{
		{"not taken", 0, emulator.Fault{Status: 500, Code: 20500}, emulator.Fault{Cut: true}, 6},
		{"not taken or listed late", 10 * time.Second, emulator.Fault{Status: 502}, emulator.Fault{Cut: true, Accept: true}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk(t, lab.WorldOptions{Shared: true})
			second := k.ownedByEli()
			k.Phones.Lag(c.lag)
			k.Phones.Quiet(true) // no callback tells
			c.dana.Match, c.dana.Times = to(lab.Dana), 1
			c.eli.Match, c.eli.Times = to(lab.Eli), 1
			k.Phones.Faults(c.dana, c.eli)
			before, heard := k.Phones.Calls(), len(k.Phones.Sent(lab.Eli))
			for i := range 2 {
				k.asked++
				k.ask(k.asked)
				k.Person("cleo").InThread(k.room, second, fmt.Sprintf("cleo-%d", i+1))
			}
			k.arrive(75 * time.Second)
			k.Phones.WaitSent(lab.Eli, "the second message", "cleo-2")
			if got := strings.Join(sentTo(k.Phones, lab.Eli)[heard:], " "); strings.Count(got, "cleo-") != 2 || strings.Index(got, "cleo-1") > strings.Index(got, "cleo-2") {
				t.Errorf("Eli got %q", got)
			}
			if calls := k.Phones.Calls() - before; calls != c.calls {
				t.Errorf("%d requests for two messages to each, not %d", calls, c.calls)
			}
			k.unsaid("WhatsApp didn't deliver")
		})
	}
}

// ownedByEli lets Cleo ask, and Eli take it. It gives the root of the thread.
func (k *talk) ownedByEli() (thread string) {
	k.t.Helper()
	asked := k.Must("cleo", k.room, "!lane human Who else can help?")
	k.Phones.WaitSent(lab.Eli, "Cleo's question", "Who else can help?")
	k.Phones.Write(lab.Eli, fmt.Sprintf("#%d It is me.", asked.Number("handoff")))
	k.Person("cleo").Wait("Eli's first words", lab.InThread(asked.Command), lab.Says("It is me."))
	return asked.Command
}

// unsaid checks that nobody in the lane or among staff read some words.
func (k *talk) unsaid(words string) {
	k.t.Helper()
	for _, name := range []string{"carl", "root"} {
		if e, ok := k.Person(name).Saw(lab.From(k.Bot()), lab.Says(words)); ok {
			k.t.Errorf("%s reads %q", name, e.Body())
		}
	}
}

// TestTwilioStatuses reports what became of messages late, out of order and again and again. What is true in the end counts, and is said
// once: MSG-05.
func TestTwilioStatuses(t *testing.T) {
	k := newTalk(t, lab.WorldOptions{Shared: true})
	k.Phones.Quiet(true)
	next := func() (event, sid string) {
		t.Helper()
		k.asked++
		event = k.ask(k.asked)
		return event, k.Phones.WaitSent(lab.Dana, "it", fmt.Sprintf("carl-%03d", k.asked)).SID
	}
	report := func(sid, status string, code int) {
		t.Helper()
		if answer := k.Phones.Report(sid, status, code); answer != 204 {
			t.Errorf("the callback that says %s is answered with %d", status, answer)
		}
	}
	_, fine := next()
	for _, status := range []string{"read", "delivered", "sent", "sent", "queued", "read"} {
		report(fine, status, 0)
	}
	report(fine, "failed", 63024) // it was read: this is wrong
	unknown := url.Values{"MessageSid": {"SM" + strings.Repeat("0", 32)}, "AccountSid": {"AC0123456789abcdef0123456789abcdef"}, "MessageStatus": {"failed"}, "ErrorCode": {"63024"}}
	if answer, err := k.Phones.Post(lab.PublicAddress+"/_lanekeeper/twilio/status", unknown); answer != 204 {
		t.Errorf("the callback of an unknown message is answered with %d, %v", answer, err)
	}

	failed, sid := next()
	for _, status := range []string{"failed", "failed", "undelivered", "sent", "failed"} {
		code := 0
		if status != "sent" {
			code = 63024
		}
		report(sid, status, code)
	}
	said := k.Person("carl").Wait("that one did not arrive", lab.From(k.Bot()), lab.Says("WhatsApp didn't deliver"))
	if said.ReplyTo() != failed {
		t.Errorf("it is said at %s, not at the message", said.ReplyTo())
	}
	next() // goes on behind it
	k.arrive(30 * time.Second)
	if all := k.Person("carl").Events(lab.From(k.Bot()), lab.Says("WhatsApp didn't deliver")); len(all) != 1 {
		t.Errorf("it is said %d times", len(all))
	}
}

// TestTwilioWindowCloses closes the 24-hour window while a message is on its way, which Twilio tells before it answers. The template wakes
// the phone, and the message comes after it, once: HAND-12.
func TestTwilioWindowCloses(t *testing.T) {
	k := newTalk(t, lab.WorldOptions{Shared: true})
	k.Phones.CloseWindow(lab.Dana)
	k.Phones.Faults(emulator.Fault{Times: 1, Accept: true, CallbackFirst: true})
	for range 3 {
		k.asked++
		k.ask(k.asked)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	defer cancel()
	var template emulator.Message
	if !k.Phones.Wait(ctx, func(all []emulator.Message) bool {
		for _, m := range all {
			if m.Template != "" && m.Phone == lab.Dana {
				template = m
				return true
			}
		}
		return false
	}) {
		t.Fatal("no template")
	}
	if _, err := k.Phones.Tap(lab.Dana, template.SID, fmt.Sprintf("show:%d", k.number)); err != nil {
		t.Fatal(err)
	}
	arrived := func() (texts []string) {
		for _, m := range k.Phones.Sent(lab.Dana) {
			if m.Status != "failed" {
				texts = append(texts, m.Body)
			}
		}
		return texts
	}
	k.Phones.Wait(ctx, func([]emulator.Message) bool { return different(numbers("carl", arrived())) == k.asked })
	if wrong := disorder(numbers("carl", arrived()), k.asked); wrong != "" {
		t.Error(wrong)
		for _, m := range k.Phones.Messages(lab.Dana) {
			t.Logf("%v %s %q template %q: %s %d", m.Inbound, m.SID, m.Body, m.Template, m.Status, m.ErrorCode)
		}
	}
	k.unsaid("WhatsApp didn't deliver")
}

// TestTwilioListsLate lets Dana write while the bridge is stopped, and Twilio list that only after the bridge has looked: MSG-02.
func TestTwilioListsLate(t *testing.T) {
	k := newTalk(t, lab.WorldOptions{Shared: true})
	k.Bridge.Stop()
	for range 3 {
		k.answered++
		k.Phones.Lose(lab.Dana, fmt.Sprintf("dana-%03d", k.answered))
	}
	k.Phones.Lag(3 * time.Second)
	k.Bridge.Start()
	k.arrive(30 * time.Second)
}
