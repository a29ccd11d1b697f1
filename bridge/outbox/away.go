package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// underWay is how soon it is looked again whether a call in the bulkhead has ended,
// if nothing tells.
const underWay = time.Minute

// away makes a call that other servers may hold up: entering or leaving a room may
// need the server that it came from. Where that is not known it is the one that the
// room's id names; those of version 12 name none.
func (m *Matrix) away(ctx context.Context, job queue.Job, server, room string, call func(ctx context.Context, as, room string) error) error {
	_, err := bulkhead.Do(ctx, m.Away, fmt.Sprint("job ", job.ID), cmp.Or(server, domainOf(room)), m.wakes(job), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, call(ctx, "", room)
	})
	return err
}

func (m *Matrix) wakes(job queue.Job) func() {
	return func() { m.Store.Queue.Wake(store.QueueMatrix, job.Key) }
}

func domainOf(id string) string {
	_, domain, _ := strings.Cut(id, ":")
	return domain
}

// watch tells staff, once, of what waits for longer than store.LateAfter though the
// homeserver answers, and once that it does not any more.
func (m *Matrix) watch(ctx context.Context, job queue.Job, e effect.Effect, r queue.Result) queue.Result {
	late := m.late(job)
	if r.Retry == 0 { // staff may have been told before the homeserver, or we, were away
		late = m.Store.Now().Sub(job.Created)
	}
	if late < store.LateAfter || job.Key == store.KeySuperAdmin { // there is nowhere else to say it
		return r
	}
	where, err := m.where(ctx, placeOf(e))
	if err != nil {
		r.Err = errors.Join(r.Err, err)
		return r
	}
	if r.Retry > 0 {
		err := m.Store.Tx(ctx, func(ctx context.Context) error {
			if limited(r.Err) {
				return m.Store.TellLate(ctx, lateLimit, text.RateLimited())
			}
			return m.Store.TellLate(ctx, lateKey(job), text.LateForStaff(where, reason(r.Err)))
		})
		r.Err = errors.Join(r.Err, err)
		return r
	}
	done := r.Commit
	r.Commit = func(ctx context.Context) error {
		if done != nil {
			if err := done(ctx); err != nil {
				return err
			}
		}
		if err := m.Store.LateOver(ctx, lateLimit, text.RateLimitOver()); err != nil {
			return err
		}
		return m.Store.LateOver(ctx, lateKey(job), text.LateOverForStaff(where))
	}
	return r
}

// late is for how long a job has waited while the homeserver answered.
func (m *Matrix) late(job queue.Job) time.Duration {
	since := job.Created
	if m.Up != nil {
		up := m.Up()
		if up.IsZero() {
			return 0
		}
		if up.After(since) {
			since = up
		}
	}
	return m.Store.Now().Sub(since)
}

// lateLimit is what all wait for together that the homeserver lets wait.
const lateLimit = "rate limit"

func lateKey(job queue.Job) string { return job.Queue + " " + job.Key }

func limited(err error) bool { return statusOf(err) == http.StatusTooManyRequests }

// reason says in a homeserver's words why something waits; "" where it only waits.
func reason(err error) string {
	var e *matrix.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Message
	}
	return err.Error()
}

// placeOf is where an effect happens.
func placeOf(e effect.Effect) effect.Place {
	switch {
	case e.Message != nil:
		return e.Message.To
	case e.Redact != nil:
		return e.Redact.In
	case e.Join != nil:
		return effect.Place{Room: e.Join.Room}
	case e.Leave != nil:
		return effect.Place{Room: e.Leave.Room}
	case e.Receipt != nil:
		return effect.Place{Room: e.Receipt.Room}
	}
	return effect.Place{}
}
