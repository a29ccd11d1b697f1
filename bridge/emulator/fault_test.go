package emulator_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/whatsapp"
)

// What can go wrong with one request, as the product's client sees it.
func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fault   emulator.Fault
		class   whatsapp.Class
		after   time.Duration
		created bool
	}{
		{"slow down", emulator.Fault{Status: 429, Code: 20429, RetryAfter: 7 * time.Second}, whatsapp.Retry, 7 * time.Second, false},
		{"a page of a proxy", emulator.Fault{Status: 502}, whatsapp.Unknown, 0, false},
		{"a page of a proxy, but it was sent", emulator.Fault{Status: 502, Accept: true}, whatsapp.Unknown, 0, true},
		{"internal error", emulator.Fault{Status: 500, Code: 20500}, whatsapp.Unknown, 0, false},
		{"cut off", emulator.Fault{Cut: true}, whatsapp.Unknown, 0, false},
		{"cut off, but it was sent", emulator.Fault{Cut: true, Accept: true}, whatsapp.Unknown, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAccount(t, nil)
			c := a.client()
			tc.fault.Times = 1
			a.Faults(tc.fault)
			since := a.clock()
			_, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "x"})
			var e *whatsapp.Error
			if !errors.As(err, &e) || e.Class != tc.class || e.RetryAfter != tc.after {
				t.Fatalf("%v, again after %v", err, e.RetryAfter)
			}
			if _, found, err := c.Lookup(t.Context(), dana, "x", since, nil); err != nil || found != tc.created {
				t.Errorf("found: %v, %v", found, err)
			}
			if _, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "y"}); err != nil {
				t.Errorf("the fault stays: %v", err)
			}
		})
	}
}

// A fault can be for some requests only, and stay.
func TestFaultMatches(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	a.Faults(emulator.Fault{Status: 503, Code: 20503, Match: func(f url.Values) bool { return strings.Contains(f.Get("To"), dana) }})
	for range 3 {
		if _, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "x"}); err == nil {
			t.Error("to Dana: sent")
		}
		if _, _, err := c.Send(t.Context(), whatsapp.Message{To: eli, Body: "x"}); err != nil {
			t.Errorf("to Eli: %v", err)
		}
	}
	a.Faults()
	if _, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "x"}); err != nil {
		t.Error(err)
	}
}

// Callbacks come after the answer to the request, but can come before.
func TestCallbackBeforeAnswer(t *testing.T) {
	a := newAccount(t, nil)
	a.Faults(emulator.Fault{Accept: true, CallbackFirst: true, Times: 1})
	first, _, err := a.client().Send(t.Context(), whatsapp.Message{To: dana, Body: "x", Ref: "9"})
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.statuses) != 2 || a.statuses[0].MessageSID != first || a.statuses[0].Ref != "9" {
		t.Errorf("when the answer came, told was %+v", a.statuses)
	}
}

// Callbacks in any order, twice, or lost: what is true of a message stays true.
func TestReport(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	a.Quiet(true)
	m, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"read", "sent", "delivered", "delivered"} {
		if code := a.Report(m, status, 0); code != http.StatusNoContent {
			t.Errorf("%s: answered %d", status, code)
		}
	}
	if got := a.toldStatuses(m, 4); !slices.Equal(got, []string{"read", "sent", "delivered", "delivered"}) {
		t.Errorf("told %v", got)
	}
	if s, err := c.Fetch(t.Context(), m); err != nil || s.Status != "read" {
		t.Errorf("%+v %v", s, err)
	}
	lost, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "y"})
	if err != nil {
		t.Fatal(err)
	}
	a.Become(lost, "undelivered", 63024)
	if s, err := c.Fetch(t.Context(), lost); err != nil || s.ErrorCode != 63024 {
		t.Errorf("%+v %v", s, err)
	}
	if got := a.toldStatuses(lost, 4); len(got) != 0 {
		t.Errorf("of the lost one was told %v", got)
	}
	if a.Report("SM"+strings.Repeat("0", 32), "sent", 0) != 0 {
		t.Error("a message that is not there was reported")
	}
}

// A listing knows new messages only after a while, and those without a date of
// sending only without that filter.
func TestLag(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	a.Lag(5 * time.Second)
	a.Quiet(true)
	since := a.clock()
	if _, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "x"}); err != nil {
		t.Fatal(err)
	}
	find := func() bool {
		t.Helper()
		_, found, err := c.Lookup(t.Context(), dana, "x", since, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if find() {
		t.Error("found at once")
	}
	a.pass(5 * time.Second)
	if !find() {
		t.Error("not found after the lag")
	}
}

// HAND-13: the product refuses webhooks that Twilio did not sign.
func TestForged(t *testing.T) {
	a := newAccount(t, nil)
	m, err := a.Send(dana, "x", emulator.Reply{})
	if err != nil {
		t.Fatal(err)
	}
	params, err := a.Params(m.SID)
	if err != nil {
		t.Fatal(err)
	}
	for name, signature := range map[string]string{"none": "", "wrong": "AAAA", "of another address": emulator.Sign(token, "https://other.example/", params)} {
		if code, err := a.PostSigned(a.InboundURL(), params, signature); err != nil || code != http.StatusForbidden {
			t.Errorf("%s: %d %v", name, code, err)
		}
	}
	if code, err := a.Post(a.InboundURL(), params); err != nil || code != http.StatusOK {
		t.Errorf("a repetition: %d %v", code, err)
	}
	if _, err := a.Post("https://elsewhere.example/", params); err == nil {
		t.Error("went to an address that is not below the public one")
	}
}
