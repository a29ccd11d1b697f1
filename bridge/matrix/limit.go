package matrix

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Where the homeserver answers 429 to a call, others of that kind would get the same:
// they wait, too, so that they do not make it worse, whatever room they are about.
// Other kinds go on: who may be invited no more today holds up no message.

// maxPause bounds one pause: then one call asks again.
const maxPause = time.Minute

// pauses is until when no call of a kind is made.
type pauses struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// kindOf is what a call does: the first word of what it is called in errors.
func kindOf(op string) string {
	kind, _, _ := strings.Cut(op, " ")
	return kind
}

// check is the answer to a call that is not made; nil if it is.
func (p *pauses) check(r request) error {
	if r.long {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Until(p.until[kindOf(r.op)])
	if wait <= 0 {
		return nil
	}
	return &Error{Status: http.StatusTooManyRequests, Code: "M_LIMIT_EXCEEDED", Message: "the homeserver asked us to wait with such calls", RetryAfter: wait}
}

// note begins a pause if an answer asks for one.
func (p *pauses) note(ctx context.Context, r request, err error) {
	if r.long || ctx.Err() != nil || !limited(err) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[string]time.Time{}
	}
	p.until[kindOf(r.op)] = time.Now().Add(min(RetryAfter(err), maxPause))
}

func limited(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusTooManyRequests
}
