package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSend(t *testing.T) {
	var got url.Values
	c := fakeTwilio(t, func(w http.ResponseWriter, r *http.Request) {
		got = maps.Clone(r.PostForm)
		respond(201, `{"sid":"`+sid1+`","status":"queued"}`)(w, r)
	})
	for _, tc := range []struct {
		name string
		m    Message
		want url.Values
	}{
		{"text", Message{To: agent, Body: "*#12* hi & <bye>", Ref: "a b&c"}, form("Body", "*#12* hi & <bye>", "StatusCallback", "https://lanes.example.org/_lanekeeper/twilio/status?m=a+b%26c")},
		{"media", Message{To: "whatsapp:" + agent, Body: "see", MediaURL: "https://lanes.example.org/m"}, form("Body", "see", "MediaUrl", "https://lanes.example.org/m", "StatusCallback", "https://lanes.example.org/_lanekeeper/twilio/status")},
		{"template", Message{To: agent, ContentSID: "HX00000000000000000000000000000001", Variables: map[string]string{"1": "a\n\t b     c"}}, form("ContentSid", "HX00000000000000000000000000000001", "ContentVariables", `{"1":"a b c"}`, "StatusCallback", "https://lanes.example.org/_lanekeeper/twilio/status")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sid, status, err := c.Send(t.Context(), tc.m)
			if sid != sid1 || status != "queued" || err != nil {
				t.Fatal(sid, status, err)
			}
			tc.want.Set("To", "whatsapp:"+agent)
			tc.want.Set("From", "whatsapp:+14155238886")
			if got.Encode() != tc.want.Encode() {
				t.Errorf("got  %v\nwant %v", got, tc.want)
			}
		})
	}
	for _, m := range []Message{{Body: "x"}, {To: agent}, {To: agent, Body: "x", ContentSID: "HX"}, {To: agent, MediaURL: "x", ContentSID: "HX"}} {
		if _, _, err := c.Send(t.Context(), m); class(err) != Permanent {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

func class(err error) Class {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Class
}

func TestSenders(t *testing.T) {
	service := "MG00000000000000000000000000000001"
	for _, tc := range []struct{ from, service, wantFrom string }{
		{"whatsapp:+14155238886", "", "whatsapp:+14155238886"},
		{"+14155550000", "", "whatsapp:+14155550000"},
		{"whatsapp:+14155238886", service, ""}, // the default is no sender of ours
		{"whatsapp:+14155550000", service, "whatsapp:+14155550000"},
	} {
		cfg := config("http://localhost")
		cfg.From, cfg.MessagingServiceSID = tc.from, tc.service
		p, err := newClient(t, cfg).params(Message{To: agent, Body: "x"})
		if err != nil || text(p.From) != tc.wantFrom || text(p.MessagingServiceSid) != tc.service {
			t.Errorf("%+v: %q %q %v", tc, text(p.From), text(p.MessagingServiceSid), err)
		}
	}
}

// The environment that twilio-go reads changes nothing, an API key is used for
// sending, and the base URL may have a path.
func TestCredentialsAndAddress(t *testing.T) {
	for k, v := range map[string]string{"TWILIO_EDGE": "dublin", "TWILIO_REGION": "ie1", "TWILIO_ACCOUNT_SID": "ACx", "TWILIO_AUTH_TOKEN": "evil"} {
		t.Setenv(k, v)
	}
	var user, pass, path string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ = r.BasicAuth()
		path = r.URL.Path
		respond(201, `{"sid":"`+sid1+`"}`)(w, r)
	}))
	defer s.Close()
	cfg := config(s.URL + "/twilio/")
	cfg.APIKey, cfg.APISecret = "SK1", "secret"
	if _, _, err := newClient(t, cfg).Send(t.Context(), Message{To: agent, Body: "x"}); err != nil {
		t.Fatal(err)
	}
	if user != "SK1" || pass != "secret" || path != "/twilio/2010-04-01/Accounts/"+account+"/Messages.json" {
		t.Error(user, pass, path)
	}
}

func TestNewNamesTheKey(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"account_sid":    func(c *Config) { c.AccountSID = "AC…" },
		"auth_token":     func(c *Config) { c.AuthToken = "" },
		"api_secret":     func(c *Config) { c.APIKey = "SK1" },
		"api_key":        func(c *Config) { c.APIKey, c.APISecret = "SK 1", "x" },
		"from":           func(c *Config) { c.From = "whatsapp:4915" },
		"template_sid":   func(c *Config) { c.TemplateSID = "HX1" },
		"public_address": func(c *Config) { c.PublicAddress = "lanes.example.org" },
		"api_base_url":   func(c *Config) { c.APIBaseURL = "ftp://x" },
	} {
		cfg := config("")
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// What a failing request says about the message: only Unknown may have been sent.
func TestSendFailures(t *testing.T) {
	page := "<html><body>Bad Gateway</body></html>"
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		class  Class
		code   int
		after  time.Duration
	}{
		{"429 with Retry-After", respond(429, `{"code":20429,"message":"Too Many Requests","status":429}`, "Retry-After", "7"), Retry, 20429, 7 * time.Second},
		{"429 with a date", respond(429, `{"code":20429,"status":429}`, "Retry-After", "Fri, 20 Nov 2026 12:01:00 GMT"), Retry, 20429, time.Minute},
		{"429 with nonsense", respond(429, `{"code":20429,"status":429}`, "Retry-After", "99999999999999999999"), Retry, 20429, 0},
		{"429 in HTML", respond(429, page), Retry, 0, 0},
		{"429 for the day", respond(429, `{"code":63038,"status":429}`), Account, 63038, 0},
		{"500", respond(500, `{"code":20500,"status":500}`), Unknown, 20500, 0},
		{"500 with a new code", respond(500, `{"code":99999,"status":500}`), Unknown, 99999, 0},
		{"502 in HTML", respond(502, page), Unknown, 0, 0},
		{"503", respond(503, `{"code":20503,"status":503}`), Unknown, 20503, 0},
		{"redirect", respond(302, "", "Location", "http://localhost:1/x"), Unknown, 0, 0},
		{"201 without sid", respond(201, `{}`), Unknown, 0, 0},
		{"201 in HTML", respond(201, page), Unknown, 0, 0},
		{"window", respond(400, `{"code":63016,"status":400}`), Window, 63016, 0},
		{"too long", respond(400, `{"code":21617,"status":400}`), Content, 21617, 0},
		{"opted out", respond(400, `{"code":21610,"status":400}`), Recipient, 21610, 0},
		{"token", respond(401, `{"code":20003,"status":401}`), Account, 20003, 0},
		{"401 in HTML", respond(401, page), Account, 0, 0},
		{"404 in HTML", respond(404, page), Account, 0, 0},
		{"400 in HTML", respond(400, page), Permanent, 0, 0},
		{"new code", respond(400, `{"code":99999,"message":"No to whatsapp:+15551112222","status":400}`), Permanent, 99999, 0},
		{"cut", cut, Unknown, 0, 0},
		{"cut within the answer", cutAnswer, Unknown, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := fakeTwilio(t, tc.answer)
			_, _, err := c.Send(t.Context(), Message{To: agent, Body: "a secret"})
			var e *Error
			if !errors.As(err, &e) || e.Class != tc.class || e.Code != tc.code || e.RetryAfter != tc.after {
				t.Fatalf("got %+v", e)
			}
			quiet(t, err)
		})
	}
}

// cut drops the connection after the request was read.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func cutAnswer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000")
	respond(201, `{"sid":"SM`)(w, r)
	panic(http.ErrAbortHandler)
}

// quiet: an error tells nothing that logs must not hold.
func quiet(t *testing.T, err error) {
	t.Helper()
	for _, s := range []string{"5551112222", "14155238886", "a secret", token} {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error tells %q: %v", s, err)
		}
	}
}

// Before there was a connection nothing can have been sent.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	c := newClient(t, config("http://"+l.Addr().String()))
	_, _, err = c.Send(t.Context(), Message{To: agent, Body: "a secret"})
	if class(err) != Retry {
		t.Error(err)
	}
	quiet(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err = c.Send(ctx, Message{To: agent, Body: "x"}); class(err) != Retry || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A cancelled context and a slow server end a request whose outcome is unknown.
func TestCancelAndTimeout(t *testing.T) {
	arrived, done := make(chan struct{}, 3), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-done
	}))
	defer s.Close()
	defer close(done)
	c := newClient(t, config(s.URL))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, _, err := c.Send(ctx, Message{To: agent, Body: "x"}); class(err) != Unknown || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.timeout = 50 * time.Millisecond
	if _, _, err := c.Send(t.Context(), Message{To: agent, Body: "x"}); class(err) != Unknown || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := c.Fetch(t.Context(), sid1); class(err) != Retry { // reading changes nothing
		t.Error(err)
	}
}

func TestFetch(t *testing.T) {
	c := fakeTwilio(t, respond(200, `{"sid":"`+sid1+`","account_sid":"`+account+`","status":"undelivered","error_code":63016}`))
	s, err := c.Fetch(t.Context(), sid1)
	if err != nil || s.Status != "undelivered" || s.Err().Class != Window {
		t.Error(s, err)
	}
	if _, err := c.Fetch(t.Context(), "../x"); class(err) != Permanent {
		t.Error(err)
	}
	c = fakeTwilio(t, respond(404, `{"code":20404,"status":404}`))
	if _, err := c.Fetch(t.Context(), sid1); class(err) != Permanent {
		t.Error(err)
	}
}

func TestFetchAccount(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/2010-04-01/Accounts/"+account+".json" {
			t.Error(r.URL.Path)
		}
		respond(200, `{"sid":"`+account+`","friendly_name":"Acme","status":"active","type":"Full"}`)(w, r)
	}))
	defer s.Close()
	a, err := newClient(t, config(s.URL)).FetchAccount(t.Context())
	if err != nil || a != (AccountInfo{account, "Acme", "active", "Full"}) {
		t.Error(a, err)
	}
}

func TestClassify(t *testing.T) {
	for code, want := range map[int]Class{63016: Window, 20429: Retry, 63018: Retry, 30008: Unknown, 63012: Unknown, 21658: Content,
		63013: Content, 63015: Recipient, 63049: Recipient, 63007: Account, 63038: Account, 12345: Permanent, 0: Permanent} {
		e := Classify(code, 0, "")
		if e.Class != want {
			t.Errorf("%d: %s", code, e.Class)
		}
		if s := e.Sentence(); s == "" || code != 0 && !strings.Contains(s, fmt.Sprintf("https://www.twilio.com/docs/api/errors/%d", code)) {
			t.Errorf("%d: %q", code, s)
		}
	}
	for code, m := range meanings {
		if m.message == "" || strings.HasSuffix(m.message, ".") || (m.remedy != "") != (m.class == Content && code != 63030) {
			t.Errorf("%d: %+v", code, m)
		}
	}
	if s := Classify(99999, 400, "No to whatsapp:+1 555-111 2222 now").Sentence(); strings.Contains(s, "555") || !strings.Contains(s, "now") {
		t.Error(s)
	}
}
