package outbox

import (
	"context"
	"errors"
	"net/http"
	"time"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// loss says what happens when the homeserver refused something for good.
type loss func(ctx context.Context, why error) error

// settle turns the outcome of a call into what becomes of its job: what is
// temporary is tried again for as long as it takes, what is refused is said.
func (m *Matrix) settle(job queue.Job, err error, then []effect.Effect, lost loss) queue.Result {
	switch {
	case bulkhead.Waits(err):
		return queue.Result{Retry: underWay, Keep: true}
	case err == nil:
		m.count("sent")
		return queue.Result{Commit: func(ctx context.Context) error { return m.Store.Do(ctx, then...) }}
	case !refusal(err):
		m.count("retried")
		return queue.Result{Retry: backoff(job.Attempts, err), Err: err}
	}
	m.count("refused")
	if lost == nil {
		return queue.Result{Err: err}
	}
	return queue.Result{Err: err, Commit: func(ctx context.Context) error { return lost(ctx, err) }}
}

// lost is what happens when a message cannot be sent: what it brought for that,
// else staff hear of it. A reaction is missed by nobody.
func (m *Matrix) lost(msg *effect.Message) loss {
	switch {
	case len(msg.Else) > 0:
		return func(ctx context.Context, _ error) error { return m.Store.Do(ctx, msg.Else...) }
	case msg.Reacts != "":
		return nil
	}
	return func(ctx context.Context, why error) error { return m.tellStaff(ctx, msg.To, why, text.UnsaidForStaff) }
}

// kept is what happens when something cannot be deleted: staff hear of it, as
// others may still read it. What is gone already is.
func (m *Matrix) kept(r *effect.Redact) loss {
	return func(ctx context.Context, why error) error {
		if !forbidden(why) {
			return nil
		}
		return m.tellStaff(ctx, r.In, why, text.KeptForSuperAdmins)
	}
}

// tellAgain is how soon staff hear again that something is refused in one place.
const tellAgain = 24 * time.Hour

// tellStaff tells the super-admin room what is refused, once a day for each place.
func (m *Matrix) tellStaff(ctx context.Context, in effect.Place, why error, say func(where, why string) text.Words) error {
	key, err := m.Store.KeyOf(ctx, in)
	if err != nil || key == store.KeySuperAdmin { // there is nowhere else to say it
		return err
	}
	told, err := m.Store.Meta(ctx, "refused "+key)
	if err != nil {
		return err
	}
	now := m.Store.Now()
	if at, err := time.Parse(time.RFC3339, told); err == nil && now.Before(at.Add(tellAgain)) {
		return nil
	}
	where, err := m.where(ctx, in)
	if err != nil {
		return err
	}
	if err := m.Store.SetMeta(ctx, "refused "+key, now.UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	words := why.Error()
	var e *matrix.Error
	if errors.As(why, &e) {
		words = e.Message
	}
	return m.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{SuperAdmin: true}, Content: say(where, words).Notice()}})
}

// where names a place for staff.
func (m *Matrix) where(ctx context.Context, in effect.Place) (string, error) {
	if in.SuperAdmin {
		return "the super-admin room", nil
	}
	user, id, lane := in.Person, in.Project, in.Lane
	if in.Room != "" {
		r, err := m.Store.RoomByID(ctx, in.Room)
		if err != nil || r == nil {
			return in.Room, err
		}
		user, id, lane = r.User, r.Project, r.Kind
	}
	if user != "" {
		return "the direct chat with " + user, nil
	}
	p, err := m.Store.Project(ctx, id)
	if p == nil || err != nil {
		return lane, err
	}
	return text.LaneTitle(project.Kind(lane), p.Name), nil
}

// refusal reports whether the homeserver said no for good; everything else, also
// a failure of our own database, is tried again.
func refusal(err error) bool {
	var refused *matrix.Error
	return errors.As(err, &refused) && !matrix.Temporary(err)
}

// forbidden reports a refusal because of who asks, or of what they may do.
func forbidden(err error) bool { return refusal(err) && statusOf(err) == http.StatusForbidden }

// shut reports that the bot cannot get at a room; what else is refused would be
// refused in any room.
func shut(err error) bool { return forbidden(err) || statusOf(err) == http.StatusNotFound }

func statusOf(err error) int {
	var refused *matrix.Error
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

func (m *Matrix) count(outcome string) {
	if m.Sent != nil {
		m.Sent(outcome)
	}
}

// backoff is 250 ms, doubled with each attempt, at most 30 s; what the homeserver
// names wins.
func backoff(attempts int, err error) time.Duration {
	if d := matrix.RetryAfter(err); d > 0 {
		return d
	}
	return min(250*time.Millisecond<<min(attempts, 7), 30*time.Second)
}
