package whatsapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

type vector struct {
	Name, Token, URL, Signature string
	Params                      map[string]any
	Body                        *string
	Valid                       bool
}

// form writes a vector's parameters as a body; a list is a repeated parameter.
func (v vector) form() string {
	if v.Body != nil {
		return *v.Body
	}
	f := url.Values{}
	for k, p := range v.Params {
		if list, ok := p.([]any); ok {
			for _, s := range list {
				f.Add(k, s.(string))
			}
		} else {
			f.Set(k, p.(string))
		}
	}
	return f.Encode()
}

func load(t testing.TB, file string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The vectors of Twilio's own libraries for Node, Python and Go. HAND-13
func TestVerifyVectors(t *testing.T) {
	var file struct{ Vectors []vector }
	load(t, "signature-vectors.json", &file)
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			u, err := url.Parse(v.URL)
			if err != nil {
				t.Fatal(err)
			}
			cfg := config("")
			cfg.AuthToken = v.Token
			cfg.PublicAddress = strings.TrimSuffix(v.URL, u.RequestURI())
			c := newClient(t, cfg)
			r := httptest.NewRequest("POST", "/", nil)
			r.RequestURI = u.RequestURI()
			r.Header.Set("X-Twilio-Signature", v.Signature)
			if err := c.Verify(r, []byte(v.form())); (err == nil) != v.Valid {
				t.Error(err)
			}
		})
	}
}

// request signs a form for a path the way Twilio does.
func request(c *Client, path, body string) *http.Request {
	f, _ := url.ParseQuery(body)
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("X-Twilio-Signature", sign(token, c.public[0]+path+signedForms(f)[0]))
	return r
}

// HAND-13: nothing of a request can be changed, and no header names the address.
func TestVerifyRefuses(t *testing.T) {
	c := newClient(t, config(""))
	body := form("AccountSid", account, "Body", "hi", "MessageSid", sid1).Encode()
	good := func() *http.Request { return request(c, InboundPath+"?m=1&x=%41", body) }
	if err := c.Verify(good(), []byte(body)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(r *http.Request) []byte{
		"no signature": func(r *http.Request) []byte { r.Header.Del("X-Twilio-Signature"); return []byte(body) },
		"other body":   func(*http.Request) []byte { return []byte(strings.Replace(body, "hi", "ho", 1)) },
		"more":         func(*http.Request) []byte { return []byte(body + "&Extra=1") },
		"bad encoding": func(*http.Request) []byte { return []byte(body + "&%zz") },
		"other query":  func(r *http.Request) []byte { r.RequestURI = InboundPath + "?m=2&x=%41"; return []byte(body) },
		"decoded":      func(r *http.Request) []byte { r.RequestURI = InboundPath + "?m=1&x=A"; return []byte(body) },
		"slash":        func(r *http.Request) []byte { r.RequestURI = InboundPath + "/?m=1&x=%41"; return []byte(body) },
		"other path":   func(r *http.Request) []byte { r.RequestURI = StatusPath + "?m=1&x=%41"; return []byte(body) },
		"hash added": func(r *http.Request) []byte {
			sum := sha256.Sum256(nil)
			r.RequestURI += "&bodySHA256=" + hex.EncodeToString(sum[:])
			return nil
		},
	} {
		r := good()
		if err := c.Verify(r, change(r)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
	r := good()
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("X-Forwarded-Proto", "http")
	if err := c.Verify(r, []byte(body)); err != nil {
		t.Errorf("headers count: %v", err)
	}
	cfg := config("")
	cfg.AuthToken = "other"
	if err := newClient(t, cfg).Verify(good(), []byte(body)); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
}

// A public address may have a path of its own, which a proxy takes off or not.
func TestVerifyBelowAPath(t *testing.T) {
	cfg := config("")
	cfg.PublicAddress = "https://example.org:8443/lanes/"
	c := newClient(t, cfg)
	body := "AccountSid=" + account
	for _, public := range []string{"https://example.org:8443/lanes", "https://example.org/lanes"} {
		for _, uri := range []string{InboundPath, "/lanes" + InboundPath, "http://10.0.0.1" + InboundPath} {
			r := httptest.NewRequest("POST", "/", nil)
			r.RequestURI = uri
			r.Header.Set("X-Twilio-Signature", sign(token, public+InboundPath+"AccountSid"+account))
			if err := c.Verify(r, []byte(body)); err != nil {
				t.Errorf("%s %s: %v", public, uri, err)
			}
		}
	}
}

func TestVerifyJSON(t *testing.T) {
	c := newClient(t, config(""))
	body := `{"a": 1}`
	sum := sha256.Sum256([]byte(body))
	path := InboundPath + "?bodySHA256=" + hex.EncodeToString(sum[:])
	r := httptest.NewRequest("POST", path, nil)
	r.Header.Set("X-Twilio-Signature", sign(token, c.public[0]+path))
	if err := c.Verify(r, []byte(body)); err != nil {
		t.Error(err)
	}
	if err := c.Verify(r, []byte(body+" ")); err == nil {
		t.Error("another body passed")
	}
}

func samples(t testing.TB) map[string]url.Values {
	var file struct {
		Samples []struct {
			Name   string
			Params map[string]string
		}
	}
	load(t, "twilio-webhook-samples.json", &file)
	all := map[string]url.Values{}
	for _, s := range file.Samples {
		all[s.Name] = url.Values{}
		for k, v := range s.Params {
			all[s.Name].Set(k, v)
		}
	}
	return all
}

// HAND-11: all that routes an answer is read.
func TestParseInbound(t *testing.T) {
	all := samples(t)
	parse := func(name string) Inbound {
		in, err := ParseInbound(all[name])
		if err != nil || in.AccountSID != account || in.MessageSID == "" || in.To != "+14155238886" || len(in.Raw) == 0 {
			t.Errorf("%s: %+v %v", name, in, err)
		}
		return in
	}
	if in := parse("text"); in.From != agent || in.Body != "Hello" || in.ExternalUserID != "US.13491208655302741918" || in.ProfileName != "Ann" || in.Type != "text" || in.Empty() {
		t.Errorf("%+v", in)
	}
	if in := parse("quote reply to one of our messages"); in.Quoted != "SM000000000000000000000000000000AA" {
		t.Errorf("%+v", in)
	}
	if in := parse("quick-reply button"); in.ButtonPayload != "take:12" || in.ButtonText != "Take it" || in.Quoted != "MM000000000000000000000000000000AA" {
		t.Errorf("%+v", in)
	}
	if in := parse("sender with a hidden number (BSUID only)"); in.From != "" || in.ExternalUserID != "US.13491208655302741918" {
		t.Errorf("%+v", in)
	}
	if in := parse("image"); in.NumMedia != 1 || len(in.Media) != 1 || in.Media[0].Type != "image/jpeg" || in.Empty() {
		t.Errorf("%+v", in)
	}
	if in := parse("location"); in.Location == nil || in.Location.Label != "The Harrow Club" || in.Empty() {
		t.Errorf("%+v", in)
	}
	if in, err := ParseInbound(form("MessageSid", sid1, "ListId", "take:1", "ListTitle", "One", "Body", "x\x00\xffy")); err != nil || in.ButtonPayload != "take:1" || in.Body != "x\uFFFDy" || in.Raw.Get("Body") != in.Body {
		t.Errorf("%+v %v", in, err)
	}
	if in, _ := ParseInbound(form("MessageSid", sid1, "Body", " ", "MessageType", "reaction")); !in.Empty() {
		t.Error("a reaction says nothing")
	}
	if _, err := ParseInbound(form("Body", "x")); err == nil {
		t.Error("no MessageSid")
	}
}

func TestParseStatus(t *testing.T) {
	all := samples(t)
	s, err := ParseStatus(all["status undelivered, window closed"], "line 7")
	if err != nil || s != (Status{"SM000000000000000000000000000000AA", account, "line 7", "undelivered", 63016, agent}) || s.Err().Class != Window {
		t.Errorf("%+v %v", s, err)
	}
	for name, want := range map[string]string{"status delivered": "delivered", "status read": "read"} {
		if s, err := ParseStatus(all[name], ""); err != nil || s.Status != want || s.Err() != nil {
			t.Errorf("%+v %v", s, err)
		}
	}
}

func TestHandlers(t *testing.T) {
	c := newClient(t, config(""))
	inbound := samples(t)["text"].Encode()
	status := samples(t)["status read"].Encode()
	other := strings.ReplaceAll(inbound, account, "AC11111111111111111111111111111111")
	for _, tc := range []struct {
		name    string
		request func() *http.Request
		fails   bool
		code    int
		stored  int
	}{
		{"inbound", func() *http.Request { return request(c, InboundPath, inbound) }, false, 200, 1},
		{"inbound, database down", func() *http.Request { return request(c, InboundPath, inbound) }, true, 503, 1},
		{"status", func() *http.Request { return request(c, StatusPath+"?m=ref%201", status) }, false, 204, 1},
		{"status, database down", func() *http.Request { return request(c, StatusPath+"?m=ref%201", status) }, true, 503, 1},
		{"status at the other path", func() *http.Request { return request(c, InboundPath, status) }, false, 204, 0},
		{"other account", func() *http.Request { return request(c, InboundPath, other) }, false, 403, 0},
		{"no account", func() *http.Request { return request(c, InboundPath, "MessageSid=SM1") }, false, 403, 0},
		{"unsigned", func() *http.Request {
			return httptest.NewRequest("POST", InboundPath, strings.NewReader(inbound))
		}, false, 403, 0},
		{"GET", func() *http.Request { return httptest.NewRequest("GET", InboundPath, nil) }, false, 405, 0},
		{"SMS in the name of an agent", func() *http.Request {
			return request(c, InboundPath, strings.Replace(inbound, "From=whatsapp%3A", "From=", 1))
		}, false, 200, 0},
		{"no MessageSid", func() *http.Request { return request(c, InboundPath, "AccountSid="+account) }, false, 400, 0},
		{"1 MB", func() *http.Request {
			b := "AccountSid=" + account + "&MessageSid=" + sid1 + "&From=whatsapp:%2B4915100000001&To=whatsapp:%2B14155238886&Body="
			return request(c, InboundPath, b+strings.Repeat("x", maxBody-len(b)))
		}, false, 200, 1},
		{"over 1 MB", func() *http.Request { return request(c, InboundPath, inbound+strings.Repeat("x", maxBody)) }, false, 413, 0},
		{"over 1 MB, unsigned", func() *http.Request {
			return httptest.NewRequest("POST", StatusPath, io.LimitReader(zeros{}, 2*maxBody))
		}, false, 413, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stored := 0
			result := func(ctx context.Context) error {
				stored++
				if end, ok := ctx.Deadline(); !ok || time.Until(end) > 14*time.Second {
					t.Error("Twilio would not wait for it")
				}
				if tc.fails {
					return errors.New("database is down")
				}
				return nil
			}
			r := tc.request()
			h := c.Inbound(func(ctx context.Context, in Inbound) error { return result(ctx) })
			if strings.HasPrefix(r.URL.Path, StatusPath) {
				h = c.Status(func(ctx context.Context, s Status) error {
					if s.Ref != "ref 1" || s.Status != "read" {
						t.Errorf("%+v", s)
					}
					return result(ctx)
				})
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.code || stored != tc.stored {
				t.Errorf("answered %d, stored %d", w.Code, stored)
			}
			if w.Code == 200 && (w.Body.String() != "<Response/>" || w.Header().Get("Content-Type") != "text/xml") {
				t.Errorf("answered %q as %s", w.Body, w.Header())
			}
			if w.Code == 403 && w.Body.Len() > 0 {
				t.Errorf("said %q", w.Body)
			}
		})
	}
}

// R13: a request that was seen can be cut in other places under the same signature.
// It is refused by the shape of its fields, or counts as the one it was.
func TestReplayInAnotherForm(t *testing.T) {
	c := newClient(t, config(""))
	seen := samples(t)["quote reply to one of our messages"]
	quoted := seen.Get("OriginalRepliedMessageSid")
	content := signedForms(seen)[0]
	for name, change := range map[string]func(f url.Values){
		"another id": func(f url.Values) {
			f.Set("MessageSid", f.Get("MessageSid")+"MessageType"+f.Get("MessageType"))
			f.Del("MessageType")
		},
		"no quote": func(f url.Values) {
			f.Set("NumSegments", f.Get("NumSegments")+"OriginalRepliedMessageSender"+f.Get("OriginalRepliedMessageSender")+"OriginalRepliedMessageSid"+quoted)
			f.Del("OriginalRepliedMessageSender")
			f.Del("OriginalRepliedMessageSid")
		},
		"nobody":            func(f url.Values) { f.Del("From"); f.Del("ExternalUserId") },
		"to another number": func(f url.Values) { f.Set("To", "whatsapp:+14155230000") },
		"to nobody":         func(f url.Values) { f.Del("To") },
	} {
		t.Run("R13 "+name, func(t *testing.T) {
			f := url.Values{}
			for k, v := range seen {
				f[k] = v
			}
			change(f)
			if replay := signedForms(f)[0]; (name == "another id" || name == "no quote") && replay != content {
				t.Fatalf("not a replay: %s\n%s", replay, content)
			}
			w := httptest.NewRecorder()
			c.Inbound(func(context.Context, Inbound) error { t.Error("stored"); return nil }).ServeHTTP(w, request(c, InboundPath, f.Encode()))
			if w.Code != http.StatusForbidden {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	stored := []Inbound{}
	keep := c.Inbound(func(_ context.Context, in Inbound) error { stored = append(stored, in); return nil })
	f := url.Values{}
	for k, v := range seen {
		f[k] = v
	}
	name := f.Get("ProfileName")
	f.Set("ProfileName", name+"SmsMessageSid"+f.Get("SmsMessageSid"))
	f.Del("SmsMessageSid")
	for _, form := range []url.Values{seen, f} {
		keep.ServeHTTP(httptest.NewRecorder(), request(c, InboundPath, form.Encode()))
	}
	if len(stored) != 2 || stored[0].Signature == "" || stored[0].Signature != stored[1].Signature {
		t.Errorf("R13: not known as one by the signature: %+v", stored)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// Through a real server, as the request line arrives there.
func TestHandlerOverHTTP(t *testing.T) {
	c := newClient(t, config(""))
	var got Inbound
	s := httptest.NewServer(c.Inbound(func(_ context.Context, in Inbound) error { got = in; return nil }))
	defer s.Close()
	body := samples(t)["text"]
	path := InboundPath + "?a=b%20c&d"
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+path, strings.NewReader(body.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Twilio-Signature", sign(token, c.public[0]+path+signedForms(body)[0]))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 || got.Body != "Hello" {
		t.Error(resp.Status, got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.Encode())
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		in, err := ParseInbound(form)
		if err == nil && in.MessageSID == "" || len(in.Media) > maxMedia || strings.ContainsRune(in.Body, 0) || in.From != "" && in.From[0] != '+' {
			t.Errorf("%+v %v", in, err)
		}
		if b, err := json.Marshal(in); err != nil || strings.Contains(string(b), `\u0000`) {
			t.Errorf("%s %v", b, err)
		}
		if s, err := ParseStatus(form, body); err == nil && s.MessageSID == "" {
			t.Error(s)
		}
	})
}

func FuzzVerify(f *testing.F) {
	c := newClient(f, config(""))
	f.Add("/_lanekeeper/twilio/inbound?x=1", "AccountSid=1&A=2&A=3", "c2ln")
	f.Add("http://x/?bodySHA256=00", "{}", "")
	f.Fuzz(func(t *testing.T, uri, body, signature string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.RequestURI = uri
		r.Header.Set("X-Twilio-Signature", signature)
		if c.Verify(r, []byte(body)) == nil {
			t.Errorf("forged: %q %q %q", uri, body, signature)
		}
		form, err := url.ParseQuery(body)
		if err != nil || strings.Contains(uri, "bodySHA256") {
			return
		}
		r.Header.Set("X-Twilio-Signature", sign(token, c.public[0]+c.target(r)+signedForms(form)[0]))
		if err := c.Verify(r, []byte(body)); err != nil {
			t.Errorf("refused: %q %q: %v", uri, body, err)
		}
	})
}
