package bridge

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"lanekeeper/bridge/intake"
	"lanekeeper/bridge/link"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/whatsapp"
)

// Times for those who call us: the homeserver, Twilio, orchestrators.
const (
	headerTime = 10 * time.Second
	bodyTime   = 60 * time.Second
	stopTime   = 5 * time.Second
)

// health is what the HTTP side knows of the rest. Until the database is owned and
// the homeserver answers, it says 503.
type health struct {
	mu       sync.Mutex
	bridge   *Bridge // nil: not ready
	hs       *matrix.Client
	webhooks *whatsapp.Client
	listing  *intake.Listing
	alive    bool
	since    time.Time // of alive

	turn    chan struct{} // held while the database and the homeserver are asked
	checked time.Time     // guarded by turn, as what follows
	last    string
}

func newHealth() *health { return &health{turn: make(chan struct{}, 1)} }

// reset: nothing works any more until the database is owned again.
func (h *health) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bridge, h.hs, h.webhooks, h.listing, h.alive = nil, nil, nil, nil, false
}

func (h *health) client(hs *matrix.Client) { h.mu.Lock(); h.hs = hs; h.mu.Unlock() }
func (h *health) ready(b *Bridge)          { h.mu.Lock(); h.bridge = b; h.mu.Unlock() }

// synced notes whether the homeserver answered; back says that it did not before.
func (h *health) synced(ok bool) (back bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	back, h.alive = ok && !h.alive, ok
	if back {
		h.since = time.Now()
	}
	return back
}

// up is since when the homeserver answers; zero while it does not.
func (h *health) up() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.alive {
		return time.Time{}
	}
	return h.since
}

func (h *health) caughtUp() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.alive }
func (h *health) twilio(c *whatsapp.Client, l *intake.Listing) {
	h.mu.Lock()
	h.webhooks, h.listing = c, l
	h.mu.Unlock()
}

const (
	checkAge  = time.Second     // how long an answer of check is good for: probes come often
	checkTime = 2 * time.Second // how long anybody waits for one
)

// check asks whether the database can be written and the homeserver be reached, and
// gives what is missing, "" if nothing. Anybody may read that: it names no address.
func (h *health) check(ctx context.Context) (missing string) {
	h.mu.Lock()
	bridge, hs := h.bridge, h.hs
	h.mu.Unlock()
	if bridge == nil {
		return "starting, or waiting for the database, its owner or the homeserver"
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return "the database or the homeserver does not answer in time"
	}
	if time.Since(h.checked) < checkAge {
		return h.last
	}
	was := h.last
	var err error
	if h.last, err = bridge.missing(ctx, hs); h.last != was && err != nil {
		bridge.log.Warn().Err(err).Msg("Not ready: " + h.last)
	}
	h.checked = time.Now()
	return h.last
}

// missing tries what Lanekeeper needs.
func (b *Bridge) missing(ctx context.Context, hs *matrix.Client) (string, error) {
	if err := b.store.SetMeta(ctx, "checked", time.Now().UTC().Format(time.RFC3339)); err != nil {
		return "the database cannot be written", err
	}
	if err := hs.Reachable(ctx); err != nil {
		return "the homeserver does not answer", err
	}
	if !b.health.caughtUp() {
		return "the sync with the homeserver does not work yet", nil
	}
	return "", nil
}

// PublicAlive is /livez once more, at a path that a reverse proxy lets through:
// doctor asks there whether the public address leads to us.
const PublicAlive = "/_lanekeeper/livez"

// routes is everything that somebody can call.
func (b *Bridge) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/_matrix/app/", b.fromHomeserver)
	mux.HandleFunc("/_lanekeeper/twilio/inbound", b.fromTwilio(func(c *whatsapp.Client, l *intake.Listing) http.Handler { return c.Inbound(intake.Inbound(l)) }))
	mux.HandleFunc("/_lanekeeper/twilio/status", b.fromTwilio(func(c *whatsapp.Client, l *intake.Listing) http.Handler { return c.Status(intake.Status(l.Store)) }))
	mux.HandleFunc(link.Path, b.toPublic)
	alive := func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("ok\n")) }
	mux.HandleFunc("GET /livez", alive)
	mux.HandleFunc("GET "+PublicAlive, alive)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if missing := b.health.check(r.Context()); missing != "" {
			http.Error(w, "not ready: "+missing, http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return below(b.cfg.AppService.PublicAddress, mux)
}

// below also takes requests that have the path of the public address before them: a
// proxy may take it off or pass it on.
func below(public string, h http.Handler) http.Handler {
	u, err := url.Parse(public)
	if err != nil || u.Path == "" {
		return h
	}
	stripped := http.StripPrefix(u.Path, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, u.Path+"/") {
			stripped.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (b *Bridge) fromHomeserver(w http.ResponseWriter, r *http.Request) {
	b.health.mu.Lock()
	hs, ready := b.health.hs, b.health.bridge
	b.health.mu.Unlock()
	if hs == nil {
		http.Error(w, `{"errcode":"M_UNKNOWN","error":"not ready yet"}`, http.StatusServiceUnavailable)
		return
	}
	hs.Handler(func() {
		if ready != nil {
			ready.sync.Wake()
		}
	}).ServeHTTP(w, r)
}

// toPublic serves files to those who have a link.
func (b *Bridge) toPublic(w http.ResponseWriter, r *http.Request) {
	b.health.mu.Lock()
	ready := b.health.bridge
	b.health.mu.Unlock()
	if ready == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Files cannot be fetched at the moment. Please try again in a few seconds.", http.StatusServiceUnavailable)
		return
	}
	ready.files.ServeHTTP(w, r)
}

func (b *Bridge) fromTwilio(handler func(*whatsapp.Client, *intake.Listing) http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b.health.mu.Lock()
		client, listing := b.health.webhooks, b.health.listing
		b.health.mu.Unlock()
		switch {
		case !b.cfg.WhatsApp.Enabled:
			http.NotFound(w, r)
		case client == nil:
			http.Error(w, "not ready yet", http.StatusServiceUnavailable)
		default:
			handler(client, listing).ServeHTTP(w, r)
		}
	}
}

// serve answers until ctx ends, then finishes what it has begun.
func (b *Bridge) serve(ctx context.Context, l net.Listener) error {
	return serve(b.log.WithContext(ctx), l, b.routes()) // handlers log by the context
}

func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close()
	}
	return ctx.Err()
}
