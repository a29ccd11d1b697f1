// Package outbox carries out what was decided: it sends what stands in the
// queues, one sender for each destination, and stores the receipt.
package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/effect"
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

// Rooms knows direct chats and opens them.
type Rooms interface {
	// Direct gives the direct chat where both are in, by what events told.
	Direct(ctx context.Context, user string) (room string, ok bool, err error)
	// EnsureDirect opens it, which may take as long as another server likes.
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

	// Away has the calls that other servers may hold up.
	Away *bulkhead.Pool
	// Up is since when the homeserver answers, zero while it does not; nil: always.
	Up func() time.Time

	// Idempotent says that the homeserver knows a transaction id again whatever
	// happened to the request that brought it first. Where it does not (Dendrite
	// forgets it in a restart, and where nobody waited for the answer), an unknown
	// outcome is looked up before a repeat.
	Idempotent bool
	// Began is when this process did, Before the last job that was put until then: up
	// to that one an earlier process may have sent it, and not have lived to note it.
	Began  time.Time
	Before int64
}

// inFlight is how long a homeserver may still be busy with what an earlier
// process sent in its last moment. Until then a look-up proves nothing.
const inFlight = 2 * time.Second

// unmade is how soon it is looked again whether a room exists by now, if nothing
// tells (Store.MadeRoom does).
const unmade = 10 * time.Minute

// ghostPatience is how often a ghost tries before the bot speaks in its place.
const ghostPatience = 12

// ghostInvited is how often it may find that its invitation is still on its way
// before that is worth a line in the log.
const ghostInvited = 3

// Do carries out one job of the queue "matrix".
func (m *Matrix) Do(ctx context.Context, job queue.Job) queue.Result {
	var e effect.Effect
	if err := json.Unmarshal(job.Payload, &e); err != nil {
		return queue.Result{Park: "an effect that cannot be read", Err: err}
	}
	return m.watch(ctx, job, e, m.do(ctx, job, e))
}

func (m *Matrix) do(ctx context.Context, job queue.Job, e effect.Effect) queue.Result {
	switch {
	case e.Message != nil:
		return m.message(ctx, job, e.Message)
	case e.Redact != nil:
		return m.redact(ctx, job, e.Redact)
	case e.Join != nil:
		err := m.away(ctx, job, e.Join.Server, e.Join.Room, m.HS.Join)
		return m.settle(job, err, e.Join.Then, nil)
	case e.Leave != nil:
		err := m.away(ctx, job, e.Leave.Server, e.Leave.Room, m.HS.Leave)
		return m.settle(job, err, nil, nil)
	case e.Receipt != nil:
		return m.receipt(ctx, job, e.Receipt)
	}
	return queue.Result{Park: "an effect without content"}
}

// place finds the room; ok is false while it does not exist yet.
func (m *Matrix) place(ctx context.Context, job queue.Job, p effect.Place) (room string, ok bool, err error) {
	var r *store.Room
	switch {
	case p.Room != "":
		return p.Room, true, nil
	case p.Person != "":
		call := "direct " + p.Person
		if room, ok, err = m.Rooms.Direct(ctx, p.Person); ok || err != nil {
			m.Away.Forget(call) // one that was waited for may have made it
			return room, ok, err
		}
		room, err = bulkhead.Do(ctx, m.Away, call, domainOf(p.Person), m.wakes(job), func(ctx context.Context) (string, error) {
			return m.Rooms.EnsureDirect(ctx, p.Person)
		})
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

// ref finds the event that a reference means, "" if it was never sent, and the room
// where it stands, "" if that is not known.
func (m *Matrix) ref(ctx context.Context, r effect.Ref) (room, event string, err error) {
	if len(r) == 0 || r[0] != '~' {
		return "", string(r), nil
	}
	return m.Store.Sent(ctx, string(r[1:]))
}

// near is ref for a relation: of what stands in another room, as a direct chat that
// was given up, nothing is said in this one.
func (m *Matrix) near(ctx context.Context, r effect.Ref, room string) (string, error) {
	in, event, err := m.ref(ctx, r)
	if in == "" && event != "" && err == nil {
		var said *store.Message
		if said, err = m.Store.Message(ctx, event); said != nil {
			in = said.Room
		}
	}
	if in != "" && in != room {
		return "", err
	}
	return event, err
}

func (m *Matrix) message(ctx context.Context, job queue.Job, msg *effect.Message) queue.Result {
	if wait := m.Began.Add(inFlight).Sub(m.Store.Now()); wait > 0 && m.unclear(job) {
		return queue.Result{Retry: min(wait, inFlight), Keep: true}
	}
	room, ok, err := m.place(ctx, job, msg.To)
	if err != nil {
		return m.settle(job, err, nil, m.lost(msg))
	}
	if !ok {
		return queue.Result{Retry: unmade, Keep: true}
	}
	there, content, evType, err := m.content(ctx, msg, room)
	if err != nil {
		return queue.Result{Retry: time.Second, Err: err}
	}
	if content == nil { // an edit or a reaction whose target never came to be
		return queue.Result{Commit: func(ctx context.Context) error { return m.Store.Do(ctx, msg.Else...) }}
	}
	o := outgoing{room: there, typ: evType, txn: m.txn(job), content: content}
	if msg.From != nil {
		o.as = msg.From.User
		if err := m.ghost(ctx, job, msg.From, o.room); err != nil {
			return m.speechless(ctx, job, msg, o, err)
		}
	}
	event, dropped, err := m.deliver(ctx, job, msg, o)
	if forbidden(err) && o.as != "" {
		return m.speechless(ctx, job, msg, o, err)
	}
	if shut(err) && msg.To.Person != "" && o.room == room && job.Attempts < 2 {
		// The direct chat is gone: a new one is opened at the next try.
		return queue.Result{Retry: 100 * time.Millisecond, Err: errors.Join(err, m.Store.ForgetDirect(ctx, msg.To.Person, room))}
	}
	if shut(err) && msg.To.SuperAdmin {
		// A room that operators chose, and did not let the bot in yet: what staff shall read waits.
		if out := m.away(ctx, job, "", room, m.HS.Join); bulkhead.Waits(out) {
			return m.settle(job, out, nil, nil)
		} else if out != nil {
			return queue.Result{Retry: backoff(job.Attempts, out), Err: fmt.Errorf("the room of staff (rooms.super_admin): %w", out)}
		}
	}
	if err != nil {
		return m.settle(job, err, nil, m.lost(msg))
	}
	return m.stands(msg, o.room, event, dropped)
}

// deliver sends a message; a relation that the homeserver refuses is dropped, the
// words still go. dropped is why.
func (m *Matrix) deliver(ctx context.Context, job queue.Job, msg *effect.Message, o outgoing) (event string, dropped, err error) {
	event, err = m.send(ctx, job, o)
	if !refusal(err) || forbidden(err) && o.as != "" || o.content["m.relates_to"] == nil || msg.Edits != "" || msg.Reacts != "" {
		return event, nil, err
	}
	dropped = err
	event, err = m.send(ctx, job, o.without("m.relates_to"))
	return event, dropped, err
}

// speechless is what happens where a ghost cannot get in, or may not speak yet:
// reconcile sees to that, so it waits a while; then the bot speaks in its place. A
// ghost that cannot even be made is not waited for.
func (m *Matrix) speechless(ctx context.Context, job queue.Job, msg *effect.Message, o outgoing, err error) queue.Result {
	if !refusal(err) || shut(err) && job.Attempts < ghostPatience {
		r := queue.Result{Retry: backoff(job.Attempts, err)}
		if !forbidden(err) || job.Attempts > ghostInvited {
			r.Err = fmt.Errorf("ghost: %w", err)
		}
		return r
	}
	if msg.Plain == nil {
		return m.settle(job, err, nil, m.lost(msg))
	}
	o.as, o.txn, o.content = "", o.txn+".bot", m.relate(maps.Clone(msg.Plain), o.content)
	event, dropped, err := m.deliver(ctx, job, msg, o)
	if err != nil {
		return m.settle(job, err, nil, m.lost(msg))
	}
	return m.stands(msg, o.room, event, dropped)
}

// stands is the outcome of a message that was sent; see deliver.
func (m *Matrix) stands(msg *effect.Message, room, event string, dropped error) queue.Result {
	m.count("sent")
	return queue.Result{Err: dropped, Commit: func(ctx context.Context) error {
		if msg.ID != "" {
			if err := m.Store.SaveSent(ctx, msg.ID, room, event); err != nil {
				return err
			}
		}
		return m.Store.Do(ctx, msg.Then...)
	}}
}

// outgoing is one event on its way.
type outgoing struct {
	as, room, typ, txn string
	content            map[string]any
}

// without is the same event without a field of its content; it is another event.
func (o outgoing) without(field string) outgoing {
	o.content, o.txn = maps.Clone(o.content), o.txn+".bare"
	delete(o.content, field)
	return o
}

// unclear reports that a job may have been done before, unknown to us, and that
// the homeserver may not recognise it. Its number tells, and not the time when it was
// put: clocks are set back.
func (m *Matrix) unclear(job queue.Job) bool {
	return !m.Idempotent && (job.Attempts > 0 || job.ID <= m.Before)
}

// send sends once, or finds what was sent before.
func (m *Matrix) send(ctx context.Context, job queue.Job, o outgoing) (string, error) {
	if m.unclear(job) {
		if event, err := m.HS.FindSent(ctx, o.room, o.txn, job.Created); err != nil || event != "" {
			return event, err
		}
	}
	return m.HS.Send(ctx, o.as, o.room, o.typ, o.txn, o.content)
}

// ghost gets a ghost into the room, under the name that it has now: reconcile
// invites it, here it accepts. What events told us counts for the first try only.
func (m *Matrix) ghost(ctx context.Context, job queue.Job, g *effect.Ghost, room string) error {
	named := m.HS.EnsureGhost(ctx, g.User, g.Name)
	if job.Attempts == 0 && (named == nil || refusal(named)) { // who is in speaks, also under an old name
		e, err := m.Store.Member(ctx, room, g.User)
		if err == nil && e != nil && e.Membership() == "join" {
			return nil
		}
	}
	if named != nil {
		return named
	}
	return m.HS.Join(ctx, g.User, room)
}

// content makes what is sent, and where: an edit or a reaction goes where its target
// stands. It is nil if that was never sent.
func (m *Matrix) content(ctx context.Context, msg *effect.Message, room string) (there string, content map[string]any, evType string, err error) {
	evType = cmp.Or(msg.Type, "m.room.message")
	c := maps.Clone(msg.Content)
	if c == nil {
		c = map[string]any{}
	}
	if msg.Edits != "" || msg.Reacts != "" {
		in, target, err := m.ref(ctx, msg.Edits+msg.Reacts)
		if err != nil || target == "" {
			return "", nil, "", err
		}
		there = cmp.Or(in, room)
		if there != room && msg.To.Person != "" && msg.Reacts == "" {
			if alone, err := m.alone(ctx, there, msg.To.Person); err != nil {
				return "", nil, "", err
			} else if !alone { // it has become a room of others, who would read the new words
				return room, c, evType, nil
			}
		}
		if msg.Reacts != "" {
			return there, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": target, "key": msg.Key}}, "m.reaction", nil
		}
		return there, edit(c, target), evType, nil
	}
	thread, err := m.near(ctx, msg.Thread, room)
	if err != nil {
		return "", nil, "", err
	}
	reply, err := m.near(ctx, msg.ReplyTo, room)
	if err != nil {
		return "", nil, "", err
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
	return room, c, evType, nil
}

// looked is how many people are looked at of a room that was a direct chat.
const looked = 50

// alone reports whether nobody but a person and us is in a room that was their direct
// chat once, as events told.
func (m *Matrix) alone(ctx context.Context, room, user string) (bool, error) {
	members, err := m.Store.SomeMembers(ctx, room, looked)
	if err != nil || len(members) == looked {
		return false, err
	}
	for who, e := range members {
		if is := e.Membership(); (is == "join" || is == "invite") && who != user && who != m.Store.Keeper {
			return false, nil
		}
	}
	return true, nil
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

// txn is the transaction id of a job, globally unique. The time tells it from a job
// of the same number in a database that was restored from a backup.
func (m *Matrix) txn(job queue.Job) string {
	return fmt.Sprintf("%s.%d.%d", m.Prefix, job.ID, job.Created.UnixMilli())
}

func (m *Matrix) redact(ctx context.Context, job queue.Job, r *effect.Redact) queue.Result {
	room, target, err := m.ref(ctx, r.Target)
	if err != nil {
		return queue.Result{Retry: time.Second, Err: err}
	}
	if target == "" {
		return queue.Result{}
	}
	if room == "" {
		var ok bool
		if room, ok, err = m.place(ctx, job, r.In); err != nil {
			return m.settle(job, err, nil, m.kept(r))
		} else if !ok {
			return queue.Result{Retry: unmade, Keep: true}
		}
	}
	_, err = m.HS.Redact(ctx, "", room, target, m.txn(job), r.Reason)
	return m.settle(job, err, nil, m.kept(r))
}

func (m *Matrix) receipt(ctx context.Context, job queue.Job, r *effect.Receipt) queue.Result {
	event, err := m.near(ctx, r.Event, r.Room)
	if err != nil || event == "" {
		return queue.Result{Err: err}
	}
	return m.settle(job, m.HS.Read(ctx, r.As, r.Room, event, ""), nil, nil)
}
