package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
)

func (a *account) request(method, path, body string, header ...string) *http.Response {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.URL+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { res.Body.Close() })
	return res
}

// The page acts only for itself: no other page in the same browser can write on
// a phone, nor read it by a name that it made point here.
func TestPageIsGuarded(t *testing.T) {
	a := newAccount(t, nil)
	write := "/phones/" + dana + "/messages"
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"the page", "POST", write, `{"text":"x"}`, []string{"Origin", a.URL, "Sec-Fetch-Site", "same-origin"}, 204},
		{"a program", "POST", write, `{"text":"x"}`, nil, 204},
		{"another page", "POST", write, `{"text":"x"}`, []string{"Origin", "https://evil.example"}, 403},
		{"another page, told by the browser", "POST", write, `{"text":"x"}`, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of another page", "POST", write, `{"text":"x"}`, []string{"Content-Type", "text/plain"}, 415},
		{"another name", "POST", write, `{"text":"x"}`, []string{"Host", "evil.example"}, 403},
		{"reading by another name", "GET", "/events", "", []string{"Host", "evil.example:80"}, 403},
		{"no phone", "POST", "/phones/+49000/messages", `{"text":"x"}`, nil, 404},
		{"no words", "POST", write, `{"text":" "}`, nil, 400},
		{"no JSON", "POST", write, `text=x`, nil, 400},
		{"too long", "POST", write, `{"text":"` + strings.Repeat("x", 1601) + `"}`, nil, 400},
		{"a quote of nothing", "POST", write, `{"text":"x","quoted":"SM1"}`, nil, 404},
		{"a button of nothing", "POST", write, `{"button":"show:1"}`, nil, 404},
		{"a chat on no page", "POST", "/phones/" + dana + "/chat", `{"open":true,"page":"x"}`, nil, 409},
		{"a list of files", "GET", "/static/../page.go", "", nil, 404},
	} {
		if res := a.request(tc.method, tc.path, tc.body, tc.header...); res.StatusCode != tc.status {
			t.Errorf("%s: %s, not %d", tc.name, res.Status, tc.status)
		}
	}
	if n := len(a.Messages(dana)); n != 2 {
		t.Errorf("%d messages were written, not 2", n)
	}
	if csp := a.request("GET", "/", "").Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("the page's policy is %q", csp)
	}
}

// The page needs nothing from elsewhere.
func TestPageIsSelfContained(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?i)(?:src|href|url|import|from|fetch|EventSource)\s*[=("' ]+\s*(?:https?:)?//`)
	err := filepath.WalkDir("static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		if found := elsewhere.Find(raw); found != nil {
			t.Errorf("%s: %s", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stream reads the page's events.
type stream struct {
	t    *testing.T
	scan *bufio.Scanner
	id   string
}

type news struct {
	Page     string
	Fresh    bool
	Messages []struct{ SID, Text, State, Reason string }
}

func (a *account) stream(header ...string) *stream {
	a.t.Helper()
	res := a.request("GET", "/events", "", header...)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		a.t.Fatalf("events: %s, %s", res.Status, res.Header.Get("Content-Type"))
	}
	return &stream{t: a.t, scan: bufio.NewScanner(res.Body)}
}

func (s *stream) next() (n news) {
	s.t.Helper()
	for s.scan.Scan() {
		if id, ok := strings.CutPrefix(s.scan.Text(), "id: "); ok {
			s.id = id
		}
		if data, ok := strings.CutPrefix(s.scan.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &n); err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	s.t.Fatalf("the stream ended: %v", s.scan.Err())
	return n
}

// A page gets everything first, then what changes; after a break it goes on
// where it was, and at another emulator it begins anew.
func TestEvents(t *testing.T) {
	a := newAccount(t, nil)
	a.Lose(dana, "one")
	s := a.stream()
	if n := s.next(); !n.Fresh || len(n.Messages) != 1 || n.Messages[0].Reason == "" {
		t.Errorf("at first: %+v", n)
	}
	at := s.id
	two := a.Lose(dana, "two")
	if n := s.next(); n.Fresh || len(n.Messages) != 1 || n.Messages[0].SID != two.SID {
		t.Errorf("then: %+v", n)
	}
	if n := a.stream("Last-Event-ID", at).next(); n.Fresh || len(n.Messages) != 1 || n.Messages[0].SID != two.SID {
		t.Errorf("after a break: %+v", n)
	}
	if n := a.stream("Last-Event-ID", "another.99").next(); !n.Fresh || len(n.Messages) != 2 {
		t.Errorf("at another emulator: %+v", n)
	}
}

// A chat that is open on a page is read, until that page is gone.
func TestOpenChatIsRead(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page := (&stream{t: t, scan: bufio.NewScanner(res.Body)}).next().Page
	before := send(t, c, dana, "before")
	a.wait(before, "delivered")
	a.request("POST", "/phones/"+dana+"/chat", `{"open":true,"page":"`+page+`"}`)
	a.wait(before, "read")
	during, other := send(t, c, dana, "during"), send(t, c, eli, "to another phone")
	a.wait(during, "read")
	a.wait(other, "delivered")
	leave()
	deadline := time.Now().Add(10 * time.Second)
	for a.request("POST", "/phones/"+dana+"/chat", `{"open":true,"page":"`+page+`"}`).StatusCode != http.StatusConflict {
		if time.Now().After(deadline) {
			t.Fatal("the page is still known")
		}
	}
	after := send(t, c, dana, "after")
	a.toldStatuses(after, 10) // sent and delivered of four, and two read
	if got := a.Reported(after); len(got) != 2 {
		t.Errorf("what nobody saw was %v", got)
	}
}

// Close ends streams and what is under way, and nothing begins after it.
func TestClose(t *testing.T) {
	a := newAccount(t, func(c *emulator.Config) { c.Deliver = "http://127.0.0.1:1" })
	s := a.stream()
	s.next()
	a.Close()
	for s.scan.Scan() {
	}
	if _, err := a.Send(dana, "x", emulator.Reply{}); err == nil {
		t.Error("a webhook was sent after the end")
	}
}
