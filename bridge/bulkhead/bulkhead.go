// Package bulkhead keeps calls that can hang from holding up others. A call to our
// homeserver that makes it ask another one (an invitation, a join) is answered when
// that one answers, or never. Such a call runs beside the worker that wants it, in
// one of few slots, fewer still for each other server. The worker waits a moment;
// then it goes on with something else and comes back when it is woken.
package bulkhead

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// ErrUnderWay says that a call has not ended yet, ErrFull that it could not begin.
// In both cases the caller asks again when it is woken.
var (
	ErrUnderWay = errors.New("the call is under way")
	ErrFull     = errors.New("too many such calls are under way")
)

// Waits reports whether an error only says that a call has not ended yet.
func Waits(err error) bool { return errors.Is(err, ErrUnderWay) || errors.Is(err, ErrFull) }

// maxKept bounds the outcomes that nobody came back for, and those who wait for a
// slot; beyond it they come back when their own time is up.
const maxKept = 1000

// Pool is a number of slots. The fields are set before use.
type Pool struct {
	Slots     int           // calls at the same time
	PerServer int           // those to one other server
	Home      string        // our own server, where that many are not too many
	Linger    time.Duration // how long Do waits for a call

	mu      sync.Mutex
	calls   map[string]*call  // by name, until their outcome is taken
	running int               // calls that have not ended
	servers map[string]int    // of those, by server
	waiting map[string]waiter // who found no slot, by name
	group   sync.WaitGroup
}

type call struct {
	name   string
	server string
	unused bool // nobody wants the outcome any more
	ended  chan struct{}
	value  any
	err    error
	wake   func() // nil: somebody waits for ended
}

type waiter struct {
	server string
	wake   func()
}

// Do gives the outcome of a call: fn runs if no call of that name is under way. It
// waits for Linger at most; then wake is called once when it is worth while to ask
// again. ctx ends the call, too, so it has to live as long as the process works.
func Do[T any](ctx context.Context, p *Pool, name, server string, wake func(), fn func(context.Context) (T, error)) (T, error) {
	c, err := p.begin(ctx, name, server, wake, func(ctx context.Context) (any, error) { return fn(ctx) })
	var value T
	if err != nil {
		return value, err
	}
	linger := time.NewTimer(p.Linger)
	defer linger.Stop()
	select {
	case <-c.ended:
	case <-linger.C:
	case <-ctx.Done():
	}
	if err := p.take(name, c, wake); err != nil {
		return value, err
	}
	value, _ = c.value.(T)
	return value, c.err
}

// UnderWay reports whether a call of that name has not ended yet.
func (p *Pool) UnderWay(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[name]
	return c != nil && !c.over()
}

// Forget drops the outcome of a call that nobody needs any more: whoever makes a call
// of that name later wants another one.
func (p *Pool) Forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, name)
	c := p.calls[name]
	switch {
	case c == nil:
	case c.over():
		delete(p.calls, name)
	default:
		c.wake, c.unused = nil, true
	}
}

// Wait waits until all calls have ended.
func (p *Pool) Wait() { p.group.Wait() }

func (c *call) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// begin starts a call, or finds one that was started before.
func (p *Pool) begin(ctx context.Context, name, server string, wake func(), fn func(context.Context) (any, error)) (*call, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.calls[name]; c != nil {
		if !c.over() {
			c.wake, c.unused = wake, false
			return nil, ErrUnderWay
		}
		return c, nil
	}
	if p.calls == nil {
		p.calls, p.servers, p.waiting = map[string]*call{}, map[string]int{}, map[string]waiter{}
	}
	if !p.place(server) {
		if len(p.waiting) < maxKept {
			p.waiting[name] = waiter{server, wake}
		}
		return nil, ErrFull
	}
	delete(p.waiting, name)
	c := &call{name: name, server: server, ended: make(chan struct{})}
	p.calls[name] = c
	p.running++
	p.servers[server]++
	p.group.Go(func() {
		defer p.end(c)
		defer func() {
			if panicked := recover(); panicked != nil { // as in a job of the queue
				c.err = fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
			}
		}()
		c.value, c.err = fn(ctx)
	})
	return c, nil
}

// place reports whether there is a slot for a call to a server.
func (p *Pool) place(server string) bool {
	return p.running < p.Slots && (server == p.Home || p.servers[server] < p.PerServer)
}

// end frees the slot of a call and wakes those who wait for that.
func (p *Pool) end(c *call) {
	p.mu.Lock()
	close(c.ended)
	p.running--
	if c.unused && p.calls[c.name] == c {
		delete(p.calls, c.name)
	}
	if p.servers[c.server]--; p.servers[c.server] == 0 {
		delete(p.servers, c.server)
	}
	var wakes []func()
	if c.wake != nil {
		wakes = append(wakes, c.wake)
	}
	for name, w := range p.waiting {
		if len(wakes) > p.Slots-p.running {
			break
		}
		if p.place(w.server) {
			delete(p.waiting, name)
			wakes = append(wakes, w.wake)
		}
	}
	p.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

// take takes the outcome of a call, or leaves it until wake is called.
func (p *Pool) take(name string, c *call, wake func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.over() {
		c.wake = wake
		return ErrUnderWay
	}
	if p.calls[name] == c {
		delete(p.calls, name)
	}
	if len(p.calls) > maxKept {
		for name, c := range p.calls {
			if c.over() {
				delete(p.calls, name)
			}
		}
	}
	return nil
}
