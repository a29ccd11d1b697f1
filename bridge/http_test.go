package bridge

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// W12: a proxy takes the path of the public address off, or passes it on.
func TestBelowThePublicPath(t *testing.T) {
	seen := ""
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r.URL.Path + " " + r.RequestURI })
	for _, c := range []struct{ public, asked, want string }{
		{"https://x/matrix/lane", "/matrix/lane/_lanekeeper/twilio/inbound?a=b", "/_lanekeeper/twilio/inbound /matrix/lane/_lanekeeper/twilio/inbound?a=b"},
		{"https://x/matrix/lane", "/_lanekeeper/twilio/inbound", "/_lanekeeper/twilio/inbound /_lanekeeper/twilio/inbound"},
		{"https://x/matrix/lane", "/matrix/lanes/livez", "/matrix/lanes/livez /matrix/lanes/livez"},
		{"https://x", "/livez", "/livez /livez"},
		{"", "/livez", "/livez /livez"},
	} {
		below(c.public, inner).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, c.asked, nil))
		if seen != c.want {
			t.Errorf("below %q, asked for %q: got %q, want %q", c.public, c.asked, seen, c.want)
		}
	}
}

// D12, R24: while somebody asks a database that hangs, others do not wait behind
// them, and nobody is told an address.
func TestReadyWaitsForNobody(t *testing.T) {
	h := newHealth()
	h.ready(&Bridge{})
	h.turn <- struct{}{} // somebody asks
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if missing := h.check(ctx); missing == "" || strings.Contains(missing, "//") {
		t.Errorf("ready: %q", missing)
	}
	h.reset()
	if missing := h.check(t.Context()); missing == "" {
		t.Error("ready after a reset")
	}
}
