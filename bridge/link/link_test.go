package link_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/link"
	"lanekeeper/bridge/matrix"
)

// A token names its event until it expires; no other string is one, nor is it with another key.
func FuzzToken(f *testing.F) {
	f.Add("$abc", "k", int64(60), 3)
	f.Fuzz(func(t *testing.T, event, key string, age int64, at int) {
		if event == "" || len(event) > 255 {
			t.Skip()
		}
		now := time.Unix(1_700_000_000, 0)
		clock := func() time.Time { return now }
		s := link.NewSigner(key, "https://x.test/", time.Hour, clock)
		address := s.To(event)
		token, ok := strings.CutPrefix(address, "https://x.test"+link.Path)
		if !ok || strings.ContainsAny(token, "/?#%") {
			t.Fatal(address)
		}
		if got, err := s.Read(token); got != event || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		if _, err := link.NewSigner(key+"x", "https://x.test", time.Hour, clock).Read(token); !errors.Is(err, link.ErrForged) {
			t.Errorf("with another key: %v", err)
		}
		b := []byte(token)
		i := (at%len(b) + len(b)) % len(b)
		b[i] ^= 1
		if _, err := s.Read(string(b)); !errors.Is(err, link.ErrForged) {
			t.Errorf("with another sign: %v", err)
		}
		now = now.Add(time.Duration(max(0, age%7200)) * time.Second)
		if _, err := s.Read(token); (err == nil) != (age%7200 < 3600) {
			t.Errorf("after %d s: %v", age, err)
		}
	})
}

var jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF" + strings.Repeat("picture ", 4000)

type upstream struct {
	*httptest.Server
	served atomic.Int64 // bytes
	open   atomic.Int64
	hang   chan struct{}
}

// served is a homeserver with some files and the server before it.
func served(t *testing.T, now *time.Time) (*upstream, *link.Signer, *link.Server) {
	u := &upstream{hang: make(chan struct{})}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer as" || !strings.HasPrefix(r.URL.Path, "/_matrix/client/v1/media/download/x/") {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"errcode":"M_UNRECOGNIZED"}`)
			return
		}
		u.open.Add(1)
		defer u.open.Add(-1)
		switch id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; id {
		case "jpeg":
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", strconv.Itoa(len(jpeg)))
			fmt.Fprint(w, jpeg)
		case "page":
			w.Header().Set("Content-Type", "image/png")
			fmt.Fprint(w, "<html><script>alert(1)</script>")
		case "svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			fmt.Fprint(w, `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`)
		case "pdf":
			fmt.Fprint(w, "%PDF-1.7 x")
		case "hang":
			w.Header().Set("Content-Length", "100000")
			fmt.Fprint(w, "%PDF-1.7 x")
			w.(http.Flusher).Flush()
			select {
			case <-u.hang:
			case <-r.Context().Done():
			}
		case "large", "long": // 25 MB, in pieces; nothing says how long the second is
			if id == "large" {
				w.Header().Set("Content-Length", strconv.Itoa(25<<20))
			}
			piece := []byte(strings.Repeat("0123456789abcdef", 4096))
			for range 25 << 20 / len(piece) {
				n, err := w.Write(piece)
				u.served.Add(int64(n))
				if err != nil {
					return
				}
			}
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"errcode":"M_NOT_FOUND","error":"no"}`)
		}
	}))
	t.Cleanup(u.Close)
	hs, err := matrix.New(matrix.Config{Address: u.URL, Domain: "x", ASToken: "as", HSToken: "hs", BotLocalpart: "bot", GhostPrefix: "g_", ID: "x"}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	signer := link.NewSigner("key", "https://lanes.test", time.Hour, func() time.Time { return *now })
	names := map[string]string{"jpeg": "Foto.jpg", "page": "page.html", "svg": "a.svg", "pdf": "請求書 \"1\".pdf", "large": "large.bin", "long": "long.bin", "hang": "x", "lost": "x"}
	return u, signer, link.NewServer(signer, func(_ context.Context, event string) (string, string, error) {
		switch id := strings.TrimRight(event[1:], "0123456789"); {
		case id == "gone":
			return "", "", link.ErrGone
		case names[id] == "":
			return "", "", link.ErrNone
		default:
			return "mxc://x/" + id, names[id], nil
		}
	}, hs.Download)
}

func call(s http.Handler, method, address, ranges string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, nil)
	if ranges != "" {
		r.Header.Set("Range", ranges)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	_, signer, s := served(t, &now)
	for _, c := range []struct{ id, typ, how, name, body string }{
		{"jpeg", "image/jpeg", "inline", "Foto.jpg", jpeg},
		{"page", "application/octet-stream", "attachment", "page.html", "<html><script>alert(1)</script>"},
		{"svg", "application/octet-stream", "attachment", "a.svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`},
		{"pdf", "application/pdf", "attachment", `請求書 "1".pdf`, "%PDF-1.7 x"},
	} {
		for range 2 { // it can be fetched again and again
			w := call(s, "GET", signer.To("$"+c.id), "")
			how, params, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
			if w.Code != 200 || w.Body.String() != c.body || w.Header().Get("Content-Type") != c.typ || how != c.how || params["filename"] != c.name || err != nil {
				t.Errorf("%s: %d, %v, %q %v", c.id, w.Code, w.Header(), params["filename"], err)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("%s: %v", c.id, w.Header())
			}
			if w.Header().Get("Content-Length") != strconv.Itoa(len(c.body)) {
				t.Errorf("%s has %s bytes", c.id, w.Header().Get("Content-Length"))
			}
		}
		if w := call(s, "HEAD", signer.To("$"+c.id), ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != strconv.Itoa(len(c.body)) {
			t.Errorf("HEAD of %s: %d, %d bytes, %v", c.id, w.Code, w.Body.Len(), w.Header())
		}
	}
	for ranges, want := range map[string]string{
		"bytes=0-3": jpeg[:4], "bytes=5000-5009": jpeg[5000:5010], "bytes=-7": jpeg[len(jpeg)-7:], "bytes=32000-": jpeg[32000:], "bytes=10-999999999": jpeg[10:],
	} {
		w := call(s, "GET", signer.To("$jpeg"), ranges)
		if w.Code != 206 || w.Body.String() != want || !strings.HasSuffix(w.Header().Get("Content-Range"), "/"+strconv.Itoa(len(jpeg))) {
			t.Errorf("%s: %d, %d bytes, %v", ranges, w.Code, w.Body.Len(), w.Header())
		}
	}
	for ranges, code := range map[string]int{"bytes=99999999-": 416, "bytes=-0": 416, "bytes=5-1": 200, "bytes=0-1,4-5": 200, "pages=1": 200, "bytes=99999999999999999999-": 200} {
		if w := call(s, "GET", signer.To("$jpeg"), ranges); w.Code != code {
			t.Errorf("%s: %d", ranges, w.Code)
		}
	}
	old := signer.To("$jpeg")
	for address, code := range map[string]int{
		signer.To("$gone"): 410, signer.To("$none"): 404, signer.To("$lost"): 404, "https://lanes.test" + link.Path: 404,
		old[:len(old)-1]: 404, "https://lanes.test" + link.Path + strings.Repeat("A", 5000): 404,
	} {
		w := call(s, "GET", address, "")
		if w.Code != code || strings.Count(strings.TrimSpace(w.Body.String()), "\n") != 0 || w.Body.Len() < 20 {
			t.Errorf("%d instead of %d: %q", w.Code, code, w.Body)
		}
	}
	if w := call(s, "POST", old, ""); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
	now = now.Add(time.Hour)
	if w := call(s, "GET", old, ""); w.Code != 410 {
		t.Errorf("an old one: %d", w.Code)
	}
}

// slow takes bytes only while the test lets it, and holds none.
type slow struct {
	header http.Header
	took   atomic.Int64
	gate   chan struct{}
	first  chan struct{}
}

func (s *slow) Header() http.Header { return s.header }
func (s *slow) WriteHeader(int)     {}
func (s *slow) Write(b []byte) (int, error) {
	if s.took.Add(int64(len(b))) == int64(len(b)) {
		close(s.first)
	}
	<-s.gate
	return len(b), nil
}

// While nobody takes their bytes, large files stay at the homeserver: what has come in does not grow with their size. What is
// too much at once is put off.
func TestMemoryStaysFlat(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	u, signer, s := served(t, &now)
	gate, done := make(chan struct{}), make(chan *slow)
	var all []*slow
	for i := range link.AtOnce {
		w := &slow{header: http.Header{}, gate: gate, first: make(chan struct{})}
		all = append(all, w)
		go func() {
			s.ServeHTTP(w, httptest.NewRequest("GET", signer.To(fmt.Sprint("$large", i/link.PerFile)), nil))
			done <- w
		}()
	}
	for _, w := range all {
		<-w.first
	}
	// A connection has buffers in the kernel; 25 MB do not fit in there.
	if got := u.served.Load(); got > int64(link.AtOnce)*(8<<20) {
		t.Errorf("%d MB were fetched for nobody", got>>20)
	}
	if w := call(s, "GET", signer.To("$jpeg"), ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d, %v", w.Code, w.Header())
	}
	close(gate)
	for range all {
		if w := <-done; w.took.Load() != 25<<20 {
			t.Errorf("%d bytes came through", w.took.Load())
		}
	}
	if w := call(s, "GET", signer.To("$jpeg"), ""); w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// A homeserver that hangs holds nobody up for ever, and what it began to give does not look whole.
func TestHanging(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	_, signer, s := served(t, &now)
	s.Stall = 50 * time.Millisecond
	if w := call(s, "GET", signer.To("$hang"), ""); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
	if _, _, err := s.Look(t.Context(), "mxc://x/hang", 1<<20); err == nil {
		t.Error("it is known")
	}
}

func TestLook(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	_, _, s := served(t, &now)
	for id, want := range map[string]string{"jpeg": fmt.Sprint("image/jpeg ", len(jpeg)), "large": "text/plain 26214400", "long": "text/plain -1", "pdf": "application/pdf 10"} {
		typ, size, err := s.Look(t.Context(), "mxc://x/"+id, 16<<20)
		if got := fmt.Sprint(typ, " ", size); got != want || err != nil {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
	if _, _, err := s.Look(t.Context(), "mxc://x/lost", 1); matrix.Temporary(err) || err == nil {
		t.Errorf("%v", err)
	}
}

// An older homeserver knows only the way without a token.
func TestOlderHomeserver(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_matrix/media/v3/download/x/y" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"errcode":"M_UNRECOGNIZED"}`)
			return
		}
		fmt.Fprint(w, "old")
	}))
	defer old.Close()
	hs, err := matrix.New(matrix.Config{Address: old.URL, Domain: "x", ASToken: "as", HSToken: "hs", BotLocalpart: "bot", GhostPrefix: "g_", ID: "x"}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	d, err := hs.Download(t.Context(), "mxc://x/y")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Body.Close()
	if b, err := io.ReadAll(d.Body); !bytes.Equal(b, []byte("old")) || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	for _, address := range []string{"", "https://x/y", "mxc://x", "mxc://x/../y", "mxc://x/y/z", "mxc://x/y?z", "mxc://x%2f/y"} {
		if matrix.IsMXC(address) {
			t.Errorf("%q counts as the address of a file", address)
		}
	}
}

// Who has one link cannot take the places of all.
func TestOneFileManyTimes(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	_, signer, s := served(t, &now)
	gate, done := make(chan struct{}), make(chan struct{})
	for range link.PerFile {
		w := &slow{header: http.Header{}, gate: gate, first: make(chan struct{})}
		go func() {
			s.ServeHTTP(w, httptest.NewRequest("GET", signer.To("$large"), nil))
			done <- struct{}{}
		}()
		<-w.first
	}
	if w := call(s, "GET", signer.To("$large"), ""); w.Code != 503 {
		t.Errorf("once more: %d", w.Code)
	}
	if w := call(s, "GET", signer.To("$jpeg"), ""); w.Code != 200 {
		t.Errorf("another file: %d", w.Code)
	}
	close(gate)
	for range link.PerFile {
		<-done
	}
}
