// Package outbox carries out what was decided: it sends what stands in the
// queues, one sender for each destination, and stores the receipt.
package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// Homeserver is what the sender asks of Matrix; *matrix.Client in production.
type Homeserver interface {
	Send(ctx context.Context, as, room, evType, txn string, content any) (string, error)
	Redact(ctx context.Context, as, room, event, txn, reason string) (string, error)
	FindSent(ctx context.Context, room, txn string, since time.Time) (string, error)
	EnsureGhost(ctx context.Context, mxid, name string) error
	Join(ctx context.Context, as, room string) error
	Leave(ctx context.Context, as, room string) error
	Read(ctx context.Context, as, room, event, thread string) error
}

// Rooms opens direct chats.
type Rooms interface {
	EnsureDirect(ctx context.Context, user string) (room string, err error)
}

// Matrix sends to the homeserver.
type Matrix struct {
	Store  *store.Store
	HS     Homeserver
	Rooms  Rooms
	Log    zerolog.Logger
	Prefix string // of transaction ids: unique for this database
	Sent   func(outcome string)

	// Idempotent says that the homeserver knows a transaction id again whatever
	// happened to the request that brought it first. Where it does not (Dendrite
	// forgets it in a restart, and where nobody waited for the answer), an unknown
	// outcome is looked up before a repeat.
	Idempotent bool
	// Began is when this process did: what was put before may have been sent by
	// an earlier one that did not live to note it.
	Began time.Time
}

// inFlight is how long a homeserver may still be busy with what an earlier
// process sent in its last moment. Until then a look-up proves nothing.
const inFlight = 2 * time.Second

// ghostPatience is how often a ghost tries before the bot speaks in its place.
const ghostPatience = 12

// Do carries out one job of the queue "matrix".
func (m *Matrix) Do(ctx context.Context, job queue.Job) queue.Result {
	var e effect.Effect
	if err := json.Unmarshal(job.Payload, &e); err != nil {
		return queue.Result{Park: "an effect that cannot be read", Err: err}
	}
	switch {
	case e.Message != nil:
		return m.message(ctx, job, e.Message)
	case e.Redact != nil:
		return m.redact(ctx, job, e.Redact)
	case e.Join != nil:
		return m.settle(job, m.HS.Join(ctx, "", e.Join.Room), e.Join.Then, nil)
	case e.Leave != nil:
		return m.settle(job, m.HS.Leave(ctx, "", e.Leave.Room), nil, nil)
	case e.Receipt != nil:
		return m.receipt(ctx, job, e.Receipt)
	}
	return queue.Result{Park: "an effect without content"}
}

// place finds the room; ok is false while it does not exist yet.
func (m *Matrix) place(ctx context.Context, p effect.Place) (room string, ok bool, err error) {
	var r *store.Room
	switch {
	case p.Room != "":
		return p.Room, true, nil
	case p.Person != "":
		room, err = m.Rooms.EnsureDirect(ctx, p.Person)
		return room, err == nil, err
	case p.SuperAdmin:
		r, err = m.Store.SuperAdminRoom(ctx)
	default:
		r, err = m.Store.LaneRoom(ctx, p.Project, p.Lane)
	}
	if err != nil || r == nil || r.ID == "" {
		return "", false, err
	}
	return r.ID, true, nil
}

// ref finds the event that a reference means; "" if it was never sent.
func (m *Matrix) ref(ctx context.Context, r effect.Ref) (string, error) {
	if len(r) == 0 || r[0] != '~' {
		return string(r), nil
	}
	_, event, err := m.Store.Sent(ctx, string(r[1:]))
	return event, err
}

func (m *Matrix) message(ctx context.Context, job queue.Job, msg *effect.Message) queue.Result {
	if wait := m.Began.Add(inFlight).Sub(m.Store.Now()); wait > 0 && m.unclear(job) {
		return queue.Result{Retry: wait, Keep: true}
	}
	room, ok, err := m.place(ctx, msg.To)
	if err != nil {
		return m.settle(job, err, nil, msg.Else)
	}
	if !ok {
		return queue.Result{Retry: 500 * time.Millisecond, Keep: true}
	}
	content, evType, err := m.content(ctx, msg)
	if err != nil {
		return queue.Result{Retry: time.Second, Err: err}
	}
	if content == nil { // an edit or a reaction whose target never came to be
		return queue.Result{Commit: func(ctx context.Context) error { return m.Store.Do(ctx, msg.Else...) }}
	}
	as, refused := "", error(nil)
	if msg.From != nil {
		as = msg.From.User
		if err := m.ghost(ctx, msg.From, room); err != nil {
			if !refusal(err) || job.Attempts < ghostPatience {
				return queue.Result{Retry: backoff(job.Attempts, err), Err: fmt.Errorf("ghost: %w", err)}
			}
			if msg.Plain == nil {
				return m.settle(job, err, nil, msg.Else)
			}
			as, content = "", m.relate(maps.Clone(msg.Plain), content)
		}
	}
	txn := fmt.Sprintf("%s.%d", m.Prefix, job.ID)
	event, err := m.send(ctx, job, as, room, evType, txn, content)
	if refusal(err) && content["m.relates_to"] != nil && msg.Edits == "" && msg.Reacts == "" {
		// A relation that the homeserver refuses is dropped, the words still go.
		refused = err
		bare := maps.Clone(content)
		delete(bare, "m.relates_to")
		event, err = m.send(ctx, job, as, room, evType, txn+".bare", bare)
	}
	if refusal(err) && msg.To.Person != "" && job.Attempts < 2 {
		// The direct chat is gone: a new one is opened at the next try.
		return queue.Result{Retry: 100 * time.Millisecond, Err: errors.Join(err, m.Store.ForgetDirect(ctx, msg.To.Person))}
	}
	if err != nil {
		return m.settle(job, err, nil, msg.Else)
	}
	m.count("sent")
	return queue.Result{Err: refused, Commit: func(ctx context.Context) error {
		if msg.ID != "" {
			if err := m.Store.SaveSent(ctx, msg.ID, room, event); err != nil {
				return err
			}
		}
		return m.Store.Do(ctx, msg.Then...)
	}}
}

// unclear reports that a job may have been done before, unknown to us, and that
// the homeserver may not recognise it.
func (m *Matrix) unclear(job queue.Job) bool {
	return !m.Idempotent && (job.Attempts > 0 || job.Created.Before(m.Began))
}

// send sends once, or finds what was sent before.
func (m *Matrix) send(ctx context.Context, job queue.Job, as, room, evType, txn string, content map[string]any) (string, error) {
	if m.unclear(job) {
		if event, err := m.HS.FindSent(ctx, room, txn, job.Created); err != nil || event != "" {
			return event, err
		}
	}
	return m.HS.Send(ctx, as, room, evType, txn, content)
}

// ghost gets a ghost into the room: reconcile invites it, here it accepts.
func (m *Matrix) ghost(ctx context.Context, g *effect.Ghost, room string) error {
	e, err := m.Store.Member(ctx, room, g.User)
	if err == nil && e != nil && e.Membership() == "join" {
		return nil
	}
	if err := m.HS.EnsureGhost(ctx, g.User, g.Name); err != nil {
		return err
	}
	return m.HS.Join(ctx, g.User, room)
}

// content makes what is sent; nil if an edit or reaction has no target.
func (m *Matrix) content(ctx context.Context, msg *effect.Message) (map[string]any, string, error) {
	evType := msg.Type
	if evType == "" {
		evType = "m.room.message"
	}
	c := maps.Clone(msg.Content)
	if c == nil {
		c = map[string]any{}
	}
	if msg.Edits != "" || msg.Reacts != "" {
		target, err := m.ref(ctx, msg.Edits+msg.Reacts)
		if err != nil || target == "" {
			return nil, "", err
		}
		if msg.Reacts != "" {
			return map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": target, "key": msg.Key}}, "m.reaction", nil
		}
		return edit(c, target), evType, nil
	}
	thread, err := m.ref(ctx, msg.Thread)
	if err != nil {
		return nil, "", err
	}
	reply, err := m.ref(ctx, msg.ReplyTo)
	if err != nil {
		return nil, "", err
	}
	switch {
	case thread != "":
		to, fallback := reply, false
		if to == "" {
			to, fallback = thread, true
		}
		c["m.relates_to"] = map[string]any{"rel_type": "m.thread", "event_id": thread, "is_falling_back": fallback, "m.in_reply_to": map[string]any{"event_id": to}}
	case reply != "":
		c["m.relates_to"] = map[string]any{"m.in_reply_to": map[string]any{"event_id": reply}}
	}
	return c, evType, nil
}

// edit wraps new content, https://spec.matrix.org/v1.15/client-server-api/#event-replacements.
// The outer mentions are empty: an edit notifies nobody.
func edit(c map[string]any, target string) map[string]any {
	body, _ := c["body"].(string)
	outer := maps.Clone(c)
	outer["m.new_content"], outer["body"] = c, "* "+body
	outer["m.mentions"] = map[string]any{}
	outer["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": target}
	if html, ok := c["formatted_body"].(string); ok {
		outer["formatted_body"] = "* " + html
	}
	return outer
}

// relate gives content the relation of other content.
func (m *Matrix) relate(c, other map[string]any) map[string]any {
	if r := other["m.relates_to"]; r != nil {
		c["m.relates_to"] = r
	}
	return c
}

func (m *Matrix) redact(ctx context.Context, job queue.Job, r *effect.Redact) queue.Result {
	room, ok, err := m.place(ctx, r.In)
	if err != nil {
		return m.settle(job, err, nil, nil)
	}
	if !ok {
		return queue.Result{Retry: 500 * time.Millisecond, Keep: true}
	}
	target, err := m.ref(ctx, r.Target)
	if err != nil {
		return queue.Result{Retry: time.Second, Err: err}
	}
	if target == "" {
		return queue.Result{}
	}
	_, err = m.HS.Redact(ctx, "", room, target, fmt.Sprintf("%s.%d", m.Prefix, job.ID), r.Reason)
	return m.settle(job, err, nil, nil)
}

func (m *Matrix) receipt(ctx context.Context, job queue.Job, r *effect.Receipt) queue.Result {
	event, err := m.ref(ctx, r.Event)
	if err != nil || event == "" {
		return queue.Result{Err: err}
	}
	return m.settle(job, m.HS.Read(ctx, r.As, r.Room, event, ""), nil, nil)
}

// settle turns the outcome of a call into what becomes of its job: what is
// temporary is tried again for as long as it takes, what is refused is said.
func (m *Matrix) settle(job queue.Job, err error, then, otherwise []effect.Effect) queue.Result {
	switch {
	case err == nil:
		m.count("sent")
		return queue.Result{Commit: func(ctx context.Context) error { return m.Store.Do(ctx, then...) }}
	case !refusal(err):
		m.count("retried")
		return queue.Result{Retry: backoff(job.Attempts, err), Err: err}
	}
	m.count("refused")
	return queue.Result{Err: err, Commit: func(ctx context.Context) error { return m.Store.Do(ctx, otherwise...) }}
}

// refusal reports whether the homeserver said no for good; everything else, also
// a failure of our own database, is tried again.
func refusal(err error) bool {
	var refused *matrix.Error
	return errors.As(err, &refused) && !matrix.Temporary(err)
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
