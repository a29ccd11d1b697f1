package lab

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
)

// Fault is what happens to one write on its way from the bridge to the homeserver.
type Fault int

const (
	Pass         Fault = iota
	HangUpBefore       // it never reaches the homeserver
	HangUpAfter        // the homeserver has done it, the bridge gets no answer
	Refuse             // it never reaches the homeserver, and the bridge is told that it may not
	Hang               // it never reaches the homeserver, and there is no answer until the bridge hangs up
)

func (f Fault) String() string {
	return [...]string{"passed", "before", "after", "refused", "hanging"}[f]
}

// Proxy stands between the bridge and the homeserver. It counts writes (everything but GET) and can end one of them without
// an answer, which is what a network or a process that dies at that moment looks like from either side.
type Proxy struct {
	URL string

	mu     sync.Mutex
	writes int
	decide func(n int, r *http.Request) Fault
	then   func()
	given  int // calls that hung until the bridge gave them up
}

// NewProxy starts a proxy in front of a homeserver that need not run yet. The test's end stops it.
func NewProxy(t T, target string) *Proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64}, // no proxy from the environment
		FlushInterval: -1,
		// A server that is down hangs up; a 502 would be an answer.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p := &Proxy{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, then := p.next(r)
		switch fault {
		case Pass:
			forward.ServeHTTP(w, r)
			return
		case Hang:
			_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the bridge hangs up
			<-r.Context().Done()
			p.mu.Lock()
			p.given++
			p.mu.Unlock()
			panic(http.ErrAbortHandler)
		case Refuse:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errcode":"M_FORBIDDEN","error":"not today"}`)
			return
		case HangUpAfter:
			// The homeserver gets all of it, and is not told that nobody waits any more.
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r = r.WithContext(context.WithoutCancel(r.Context()))
			r.Body = io.NopCloser(bytes.NewReader(body))
			forward.ServeHTTP(httptest.NewRecorder(), r)
		}
		if then != nil {
			then()
		}
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // long polls would hold Close up
		server.Close()
	})
	p.URL = server.URL
	return p
}

func (p *Proxy) next(r *http.Request) (Fault, func()) {
	if r.Method == http.MethodGet {
		return Pass, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	if p.decide == nil {
		return Pass, nil
	}
	return p.decide(p.writes, r), p.then
}

// Set counts from zero again and asks decide about every write from now on; nil lets everything pass. Then runs at each
// fault, before the connection is closed: to kill the bridge at that very moment, for example.
func (p *Proxy) Set(decide func(n int, r *http.Request) Fault, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes, p.decide, p.then = 0, decide, then
}

// Writes is how many there were since Set.
func (p *Proxy) Writes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writes
}

// GivenUp is how many calls hung until the bridge gave them up.
func (p *Proxy) GivenUp() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.given
}
