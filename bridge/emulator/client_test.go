package emulator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/whatsapp"
)

// The product's own client sends, looks up and fetches; what it sends reaches the
// phone, and what becomes of it comes back signed.
func TestSendAndFollow(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	started := a.clock()
	message, status, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "*#12* hello & <bye>", Ref: "7"})
	if err != nil || status != "queued" {
		t.Fatal(message, status, err)
	}
	if got := a.toldStatuses(message, 2); !slices.Equal(got, []string{"sent", "delivered"}) {
		t.Errorf("told %v", got)
	}
	if a.statuses[0].Ref != "7" || a.statuses[0].To != dana {
		t.Errorf("%+v", a.statuses[0])
	}
	if on := a.Messages(dana); len(on) != 1 || on[0].Text() != "*#12* hello & <bye>" {
		t.Errorf("on the phone: %+v", on)
	}
	s, err := c.Fetch(t.Context(), message)
	if err != nil || s.Status != "delivered" {
		t.Errorf("fetched %+v, %v", s, err)
	}
	found, ok, err := c.Lookup(t.Context(), dana, "*#12* hello & <bye>", started, nil)
	if err != nil || !ok || found != message {
		t.Errorf("looked up %q %v %v", found, ok, err)
	}
	a.Read(dana)
	if got := a.toldStatuses(message, 3); got[len(got)-1] != "read" {
		t.Errorf("told %v", got)
	}
	if acc, err := c.FetchAccount(t.Context()); err != nil || acc.SID != sid {
		t.Errorf("%+v %v", acc, err)
	}
}

// HAND-12: outside of the window free text fails, by a callback after the 201, and
// a template gets through; any message of the phone opens it for 24 hours.
func TestWindow(t *testing.T) {
	a := newAccount(t, func(c *emulator.Config) { c.Open = false })
	c := a.client()
	refused, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.toldStatuses(refused, 1); !slices.Equal(got, []string{"failed"}) || a.statuses[0].ErrorCode != 63016 {
		t.Errorf("told %v, %+v", got, a.statuses[0])
	}
	if s, err := c.Fetch(t.Context(), refused); err != nil || s.Err().Class != whatsapp.Window {
		t.Errorf("fetched %+v, %v", s, err)
	}
	woken, _, err := c.Wake(t.Context(), dana, "12", "8")
	if err != nil {
		t.Fatal(err)
	}
	a.wait(woken, "delivered")
	m := a.Messages(dana)[1]
	if want := []emulator.Button{{Title: "Show", Payload: "show:12"}, {Title: "Not me", Payload: "pass:12"}}; !slices.Equal(m.Buttons(), want) || !strings.Contains(m.Text(), "question 12 is waiting") {
		t.Errorf("the template is %q with %v", m.Text(), m.Buttons())
	}
	if _, err := a.Tap(dana, woken, "show:12"); err != nil {
		t.Fatal(err)
	}
	if in := a.inbound[0]; in.ButtonPayload != "show:12" || in.ButtonText != "Show" || in.Body != "Show" || in.Quoted != woken || in.Type != "button" {
		t.Errorf("the tap came as %+v", in)
	}
	if _, err := a.Tap(dana, woken, "take:12"); err == nil {
		t.Error("a button that is not there was tapped")
	}
	for _, tc := range []struct {
		later time.Duration
		want  string
	}{{0, "delivered"}, {24*time.Hour - time.Second, "delivered"}, {time.Second, "failed"}} {
		a.pass(tc.later)
		sent, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "again"})
		if err != nil {
			t.Fatal(err)
		}
		a.wait(sent, tc.want)
	}
	if a.OpenFor(dana) != 0 {
		t.Errorf("open for %s", a.OpenFor(dana))
	}
}

// What Twilio refuses at once, by its code and what the client makes of it.
func TestRefusals(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	for _, tc := range []struct {
		name  string
		m     whatsapp.Message
		code  int
		class whatsapp.Class
	}{
		{"no number", whatsapp.Message{To: "+12", Body: "x"}, 21211, whatsapp.Recipient},
		{"ourselves", whatsapp.Message{To: strings.TrimPrefix(from, "whatsapp:"), Body: "x"}, 63031, whatsapp.Recipient},
		{"too long", whatsapp.Message{To: dana, Body: strings.Repeat("😀", 801)}, 21617, whatsapp.Content},
		{"no such template", whatsapp.Message{To: dana, ContentSID: "HX" + strings.Repeat("0", 32)}, 21655, whatsapp.Content},
	} {
		_, _, err := c.Send(t.Context(), tc.m)
		var e *whatsapp.Error
		if !errors.As(err, &e) || e.Code != tc.code || e.Class != tc.class {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if _, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: strings.Repeat("😀", 800)}); err != nil {
		t.Errorf("1600 units: %v", err)
	}
	if a.Calls() != 5 {
		t.Errorf("%d calls", a.Calls())
	}
	if _, err := c.Fetch(t.Context(), "SM"+strings.Repeat("0", 32)); err == nil {
		t.Error("a message that is not there was fetched")
	}
	stranger, err := whatsapp.New(whatsapp.Config{AccountSID: sid, AuthToken: "wrong", From: from, APIBaseURL: a.URL, PublicAddress: public})
	if err != nil {
		t.Fatal(err)
	}
	var e *whatsapp.Error
	if _, _, err := stranger.Send(t.Context(), whatsapp.Message{To: dana, Body: "x"}); !errors.As(err, &e) || e.Code != 20003 || e.Class != whatsapp.Account {
		t.Errorf("wrong token: %v", err)
	}
}

// What a phone writes comes signed, with all that says what it answers to; what
// the product did not take is in the listing.
func TestInbound(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	asked, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "*#1* A question"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Send(dana, "An answer", emulator.Reply{Quoted: asked}); err != nil {
		t.Fatal(err)
	}
	if in := a.inbound[0]; in.From != dana || in.Body != "An answer" || in.Quoted != asked || in.ProfileName != "Dana" || in.ButtonPayload != "" {
		t.Errorf("%+v", in)
	}
	photo := emulator.File{Type: "image/png", Data: []byte("a picture")}
	seen, err := a.Send(dana, "", emulator.Reply{Files: []emulator.File{photo}})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := c.Media(t.Context(), seen.SID)
	if err != nil || len(listed) != 1 || listed[0] != a.inbound[1].Media[0] || listed[0].Type != "image/png" {
		t.Errorf("the file is listed as %v, %v; the webhook says %v", listed, err, a.inbound[1].Media)
	}
	a.mu.Lock()
	a.down = true
	a.mu.Unlock()
	if _, err := a.Send(eli, "Nobody hears", emulator.Reply{}); err == nil {
		t.Error("the product was down, and nothing says so")
	}
	a.Lose(eli, "lost")
	missed, err := c.Missed(t.Context(), a.clock().Add(-time.Minute), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, in := range missed {
		bodies = append(bodies, in.Body)
	}
	if !slices.Equal(bodies, []string{"An answer", "", "Nobody hears", "lost"}) {
		t.Errorf("listed: %q", bodies)
	}
}

// A listing in many pages has every message once, newest first.
func TestPages(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	const n = 450
	for range n {
		a.Lose(dana, "x")
		a.pass(time.Millisecond)
	}
	missed, err := c.Missed(t.Context(), a.clock().Add(-time.Hour), time.Time{})
	if err != nil || len(missed) != n {
		t.Fatalf("%d of %d, %v", len(missed), n, err)
	}
	once := map[string]bool{}
	for _, m := range missed {
		once[m.MessageSID] = true
	}
	if len(once) != n {
		t.Errorf("%d of %d are different", len(once), n)
	}
}

func send(t *testing.T, c *whatsapp.Client, to, body string) string {
	t.Helper()
	sid, _, err := c.Send(t.Context(), whatsapp.Message{To: to, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return sid
}
