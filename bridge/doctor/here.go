package doctor

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"lanekeeper/bridge"
)

// place is where Lanekeeper listens. While it does not run, doctor answers there in its
// stead, so that the ways that lead there can be tried.
type place struct {
	mu   sync.Mutex
	asHS http.Handler // for the homeserver, once we can check its token
}

// take lets the homeserver in.
func (p *place) take(asHS http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asHS = asHS
}

func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	h := p.asHS
	p.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, bridge.PublicAlive):
		_, _ = io.WriteString(w, "ok\n")
	case h != nil:
		h.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// listen finds out who is where Lanekeeper should be. Nothing there is no failure: the
// bridge may not have been started yet.
func (x *examination) listen(ctx context.Context) (away func()) {
	address := x.address()
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		server := &http.Server{Handler: &x.place, ReadHeaderTimeout: checkTime}
		server.SetKeepAlivesEnabled(false) // nobody shall keep a connection to what is gone soon
		go func() { _ = server.Serve(l) }()
		x.note("Lanekeeper is not running: doctor listens in its place for as long as this takes.", "Start it with lanekeeper -c %s.", x.files.Config)
		return func() { _ = server.Close() }
	case errors.Is(err, syscall.EADDRINUSE) && x.alive(ctx):
		x.ok("Lanekeeper is running (%s).", address)
	case errors.Is(err, syscall.EADDRINUSE):
		x.fail(f("Another program listens on %s.", address), "Stop it; or change appservice.port and appservice.address, run lanekeeper -g again, and give the registration to the homeserver.")
	default:
		x.fail(f("We cannot listen on %s: %v.", address, cause(err)), "Correct appservice.hostname and appservice.port.")
	}
	return func() {}
}

func (x *examination) address() string {
	return net.JoinHostPort(x.cfg.AppService.Hostname, strconv.Itoa(x.cfg.AppService.Port))
}

// alive asks whether a Lanekeeper answers on this computer.
func (x *examination) alive(ctx context.Context) bool {
	ctx, cancel := limited(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.cfg.AppService.Here()+bridge.PublicAlive, nil)
	if err != nil {
		return false
	}
	answer, err := (&http.Transport{}).RoundTrip(req) // never through a proxy
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 10))
	return answer.StatusCode == http.StatusOK && string(said) == "ok\n"
}

// unreached says in a person's words why an address was not reached, and what to do
// where that is clear.
func unreached(err error, address, key string) (why, fix string) {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return f("there is no computer called %s", dns.Name), f("Correct the name in %s.", key)
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks http, not https", f("Write %s in %s, or let a proxy with a certificate answer there.", strings.Replace(address, "https://", "http://", 1), key)
	}
	return cause(err).Error(), ""
}

// cause is an error without the address that was asked, which stands beside it.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" {
		return op.Err
	}
	return err
}
