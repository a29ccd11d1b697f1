package store

import (
	"context"
	"net"
	"sync"
	"time"
)

// lastWords is how long a connection may go on after its context ended: time for the
// server to hear that the statement is cancelled, and to say so.
const lastWords = 2 * time.Second

// line is the network below one connection to the database: that itself, and what
// cancels its statements. lib/pq reads until the server says something, whatever its
// context says, and a server that hangs, or a firewall that forgot, never does. So the
// line ends by itself soon after the context that it works for, and everything that
// waits for it.
type line struct {
	mu   sync.Mutex
	ctx  context.Context
	ends time.Time // zero: goes on
}

// workFor says which context the next bytes are for.
func (l *line) workFor(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx = ctx
}

func (l *line) worksFor() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ctx
}

// ending: its context ended while it was in use.
func (l *line) ending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.ends.IsZero()
}

// end has a wire end soon; the time counts from the first call.
func (l *line) end(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ends.IsZero() {
		l.ends = time.Now().Add(lastWords)
	}
	_ = w.SetDeadline(l.ends)
}

// Dial is part of pq.Dialer.
func (l *line) Dial(network, address string) (net.Conn, error) {
	return l.DialContext(l.worksFor(), network, address)
}

// DialTimeout is part of pq.Dialer.
func (l *line) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(l.worksFor(), timeout)
	defer cancel()
	return l.DialContext(ctx, network, address)
}

// DialContext is part of pq.DialerContext. What cancels a statement has a context with
// a limit of its own.
func (l *line) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &wire{c, l}, nil
}

// wire is one network connection of a line.
type wire struct {
	net.Conn
	line *line
}

func (w *wire) Read(p []byte) (int, error) {
	defer w.watch()()
	return w.Conn.Read(p)
}

func (w *wire) Write(p []byte) (int, error) {
	defer w.watch()()
	return w.Conn.Write(p)
}

func (w *wire) watch() (stop func() bool) {
	return context.AfterFunc(w.line.worksFor(), func() { w.line.end(w) })
}
