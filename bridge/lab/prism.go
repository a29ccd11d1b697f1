package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"lanekeeper/bridge/lab/port"
)

// prism holds the bridge and Twilio's stand-in to Twilio's own description of its API: it stands between them, and answers with
// a problem where a request or an answer is not as described (https://docs.stoplight.io/docs/prism/). There is one for all the
// Worlds of a program: what comes out of it is given to the stand-in that a header names.
type prism struct {
	url    string
	server *process

	mu       sync.Mutex
	upstream map[string]http.Handler
	end      []func()
}

// thePrism is started when it is first asked for, and ended by CleanUp.
var thePrism struct {
	sync.Mutex
	*prism
}

const worldHeader = "X-Lab-World"

// described are the paths in the slice of Twilio's description that we keep; the others go past Prism.
var described = regexp.MustCompile(`^/2010-04-01/Accounts/[^/]+/Messages(/[^/]+(/Media(/[^/]+)?)?)?\.json$`)

// contract is what one World's requests to Twilio came to.
type contract struct {
	mu     sync.Mutex
	asked  int
	broken []string
	missed string // why nobody looked
}

// underContract puts Prism before a stand-in. Where Prism is not installed nothing stands there, and CheckContract says so.
func underContract(t T, standIn http.Handler) (http.Handler, *contract) {
	t.Helper()
	c := &contract{}
	node, err := exec.LookPath("node")
	program := filepath.Join(cacheDir(), "prism/node_modules/@stoplight/prism-cli/dist/index.js")
	if _, missing := os.Stat(program); err != nil || missing != nil {
		c.missed = "Prism, with Node,"
		return standIn, c
	}
	p, err := sharedPrism(t.Context(), node, program)
	if err != nil {
		t.Fatal(err)
	}
	world, forget := p.serve(standIn)
	t.Cleanup(forget)
	target, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	through := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set(worldHeader, world)
		},
		ModifyResponse: c.look,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if described.MatchString(r.URL.Path) {
			through.ServeHTTP(w, r)
		} else {
			standIn.ServeHTTP(w, r)
		}
	}), c
}

// look reads in an answer whether Prism found something wrong.
func (c *contract) look(res *http.Response) error {
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	problem := strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json")
	if problem && strings.Contains(string(body), `"type":"FetchError"`) { // the stand-in cut the connection
		return http.ErrAbortHandler
	}
	found := res.Header.Get("Sl-Violations")
	if problem || strings.Contains(found, `"severity":"Error"`) {
		asked := res.Request.URL.Path
		c.broken = append(c.broken, fmt.Sprintf("%s %s: %d %s %s", res.Request.Method, asked[strings.LastIndex(asked, "/Messages"):], res.StatusCode, body, found))
	}
	return nil
}

// CheckContract fails where a request of the bridge, or an answer to it, was not as Twilio describes them. Without Prism the test
// is skipped.
func (p *Phones) CheckContract(t T) {
	t.Helper()
	if p.contract.missed != "" {
		missing(t, p.contract.missed)
		return
	}
	p.contract.mu.Lock()
	defer p.contract.mu.Unlock()
	if p.contract.asked == 0 {
		t.Error("nothing went through Prism")
	}
	for _, b := range p.contract.broken {
		t.Errorf("not as Twilio describes it: %s", b)
	}
	t.Logf("%d requests to Twilio went through Prism", p.contract.asked)
}

// serve gives a stand-in a name for as long as its World is there.
func (p *prism) serve(standIn http.Handler) (world string, forget func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := len(p.upstream); world == "" || p.upstream[world] != nil; n++ {
		world = strconv.Itoa(n)
	}
	p.upstream[world] = standIn
	return world, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.upstream, world)
	}
}

// ServeHTTP is what stands behind Prism.
func (p *prism) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	standIn := p.upstream[r.Header.Get(worldHeader)]
	p.mu.Unlock()
	if standIn == nil {
		http.NotFound(w, r)
		return
	}
	standIn.ServeHTTP(w, r)
}

func sharedPrism(ctx context.Context, node, program string) (*prism, error) {
	thePrism.Lock()
	defer thePrism.Unlock()
	if thePrism.prism != nil {
		return thePrism.prism, nil
	}
	dir, err := os.MkdirTemp("", "prism")
	if err != nil {
		return nil, err
	}
	n, err := port.Free()
	if err != nil {
		return nil, err
	}
	description, err := writeContract(dir)
	if err != nil {
		return nil, err
	}
	p := &prism{url: fmt.Sprintf("http://127.0.0.1:%d", n), upstream: map[string]http.Handler{}}
	behind := httptest.NewServer(p)
	p.server, err = startProcess(dir, "prism", nil, node, program, "proxy", "--errors", "-h", "127.0.0.1", "-p", strconv.Itoa(n), description, behind.URL)
	p.end = []func(){func() { p.server.kill9() }, behind.CloseClientConnections, behind.Close, func() { _ = os.RemoveAll(dir) }}
	if err == nil {
		err = p.listens(ctx)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	thePrism.prism = p
	return p, nil
}

// listens waits until it answers anything.
func (p *prism) listens(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
		if err != nil {
			return err
		}
		if res, err := httpClient.Do(req); err == nil {
			return res.Body.Close()
		}
		select {
		case <-tick.C:
		case <-p.server.done:
			return fmt.Errorf("Prism ended:\n%s", p.server.tail(30))
		case <-ctx.Done():
			return fmt.Errorf("Prism does not listen:\n%s", p.server.tail(30))
		}
	}
}

func (p *prism) close() {
	for _, end := range p.end {
		end()
	}
}

// endPrism ends it if it runs.
func endPrism() {
	thePrism.Lock()
	defer thePrism.Unlock()
	if thePrism.prism != nil {
		thePrism.close()
		thePrism.prism = nil
	}
}
