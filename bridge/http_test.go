package bridge

import (
	"net/http"
	"net/http/httptest"
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
