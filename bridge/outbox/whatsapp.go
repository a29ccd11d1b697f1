package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/media"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// Twilio is what the sender asks of it; *whatsapp.Client in production.
type Twilio interface {
	Send(ctx context.Context, m whatsapp.Message) (sid, status string, err error)
	Find(ctx context.Context, to string, since time.Time, match func(whatsapp.Sent) bool) (*whatsapp.Sent, error)
}

// Files says what a file is; *link.Server in production.
type Files interface {
	Look(ctx context.Context, mxc string, most int64) (typ string, size int64, err error)
}

// WhatsApp sends to phones through Twilio, which knows no idempotency: before a
// request is begun that stands in the database, and where its outcome is unknown
// the message is looked up before one repeat.
type WhatsApp struct {
	Store    *store.Store
	Phones   *phone.Queue
	Twilio   Twilio
	Files    Files
	Link     func(event string) string // public address of the file of a message
	Log      zerolog.Logger
	Sent     func(outcome string)
	Template string // sid
	Pace     *whatsapp.Pace

	noLooks atomic.Int64 // until when no file is looked at, Unix milliseconds
}

const (
	// unseen is how long a message that Twilio may have taken is looked for: its
	// listing lags. Then it counts as not taken and is sent once more.
	unseen = 30 * time.Second
	// lookAgain is the longest pause between two looks.
	lookAgain = 5 * time.Second
	// tries is how often a part is sent at most when nobody knows what became of it.
	tries = 2
	// waitWindow is how soon a phone whose window is closed is looked at again if
	// nothing wakes it.
	waitWindow = 10 * time.Minute
)

// Do carries out one job of the queue "whatsapp": it sends the line whose turn it is
// at that phone.
func (w *WhatsApp) Do(ctx context.Context, job queue.Job) queue.Result {
	ends := queue.Result{Commit: func(ctx context.Context) error { return w.Phones.Rest(ctx, job.Key) }}
	var e effect.Effect
	if err := json.Unmarshal(job.Payload, &e); err != nil || e.WhatsApp == nil {
		ends.Err = fmt.Errorf("an effect that cannot be read: %w", err)
		return ends
	}
	var turn phone.Turn
	if err := w.Store.Tx(ctx, func(ctx context.Context) (err error) {
		turn, err = w.Phones.Turn(ctx, *e.WhatsApp)
		return err
	}); err != nil {
		return queue.Result{Retry: time.Second, Err: err}
	}
	if turn.Look != nil {
		return w.look(ctx, *turn.Look)
	}
	// A request that is cut off has an unknown outcome, so a stop waits for its end.
	finish, cancel := queue.Finish(ctx)
	defer cancel()
	for _, p := range turn.Parts {
		if ctx.Err() != nil { // we stop
			return queue.Result{Retry: time.Millisecond, Keep: true}
		}
		switch r, err := w.part(finish, job, p); {
		case r != nil:
			return *r
		case err != nil: // refused for good: what waits still is the next job's
			ends.Err = err
			return ends
		}
	}
	if turn.Wait {
		return queue.Result{Retry: waitWindow, Keep: true}
	}
	return ends
}

const (
	// lookTime is how long one look at a file may take. One that is not there by then
	// goes as a link: what is behind it waits.
	lookTime = 3 * time.Second
	// noLooks is how long all files go as links after that: who has many that are never
	// there must not make everybody wait for each.
	noLooks = time.Minute
)

// look finds out what a file is, before it goes.
func (w *WhatsApp) look(ctx context.Context, l phone.Look) queue.Result {
	typ, size := media.Unknown, int64(-1)
	if now := w.Store.Now(); now.UnixMilli() >= w.noLooks.Load() {
		looking, cancel := context.WithTimeout(ctx, lookTime)
		t, n, err := w.Files.Look(looking, l.MXC, handoff.MaxFile)
		cancel()
		switch {
		case ctx.Err() != nil: // we stop
			return queue.Result{Retry: time.Millisecond, Keep: true}
		case err == nil:
			typ, size = t, n
		case matrix.Temporary(err):
			w.noLooks.Store(now.Add(noLooks).UnixMilli())
			w.Log.Warn().Err(err).Msg("Files cannot be looked at in time; for a minute they go to WhatsApp as links")
		}
	}
	if err := w.tx(ctx, func(ctx context.Context) error { return w.Phones.Looked(ctx, l, typ, size) }); err != nil {
		return queue.Result{Retry: time.Second, Err: err}
	}
	return queue.Result{Retry: time.Millisecond, Keep: true}
}

// part sends one part. Nothing: go on with the next one; an error: it is refused for
// good.
func (w *WhatsApp) part(ctx context.Context, job queue.Job, p *store.Part) (*queue.Result, error) {
	if p.State == store.PartTrying {
		if r, err, settled := w.lookUp(ctx, p); settled {
			return r, err
		}
	}
	if wait := w.Pace.Take(p.Phone); wait > 0 {
		return &queue.Result{Retry: wait, Keep: true}, nil
	}
	if wait := w.Phones.Breaker.Wait(p.Phone); wait > 0 {
		return &queue.Result{Retry: wait, Keep: true}, nil
	}
	var tried *store.Part
	switch err := w.tx(ctx, func(ctx context.Context) (err error) { tried, err = w.Phones.Trying(ctx, p); return err }); {
	case errors.Is(err, phone.ErrChanged):
		return &queue.Result{Retry: time.Millisecond, Keep: true}, nil
	case err != nil:
		return &queue.Result{Retry: time.Second, Err: err}, nil
	}
	p = tried
	m := whatsapp.Message{To: p.Phone, Body: p.Body, Ref: strconv.FormatInt(p.ID, 10)}
	if p.File != "" {
		m.MediaURL = w.Link(p.File)
	}
	if p.Template() {
		m.ContentSID, m.Variables = w.Template, map[string]string{"1": strconv.FormatInt(p.Number, 10)}
	}
	sid, status, err := w.Twilio.Send(ctx, m)
	if err != nil {
		return w.failed(ctx, job, p, err)
	}
	w.count("sent")
	return w.accepted(ctx, p, sid, status), nil
}

func (w *WhatsApp) accepted(ctx context.Context, p *store.Part, sid, status string) *queue.Result {
	if err := w.tx(ctx, func(ctx context.Context) error { return w.Phones.LineSent(ctx, p.ID, sid, status) }); err != nil {
		return &queue.Result{Retry: time.Second, Keep: true, Err: err} // found again by its lookup
	}
	return nil
}

// lookUp finds out what became of a request without an answer. settled is false
// when it has to be sent once more.
func (w *WhatsApp) lookUp(ctx context.Context, p *store.Part) (r *queue.Result, refused error, settled bool) {
	found, err := w.Twilio.Find(ctx, p.Phone, p.Started, func(s whatsapp.Sent) bool {
		other, err := w.Store.PartBySID(ctx, s.SID)
		return err == nil && (other == nil || other.ID == p.ID) && s.SID != p.Former && (p.Template() || s.Body == p.Body || s.Body == "" && p.File != "")
	})
	age := w.Store.Now().Sub(p.Started)
	switch {
	case err != nil:
		return &queue.Result{Retry: 2 * time.Second, Keep: true, Err: fmt.Errorf("look up a message at Twilio: %w", err)}, nil, true
	case found != nil:
		w.count("found")
		return w.accepted(ctx, p, found.SID, found.Status), nil, true
	case age < 0: // the clock was set back
		err := w.tx(ctx, func(ctx context.Context) error { return w.Phones.Restarted(ctx, p.ID) })
		return &queue.Result{Retry: lookAgain, Keep: true, Err: err}, nil, true
	case age < unseen:
		return &queue.Result{Retry: min(max(age/2, 500*time.Millisecond), lookAgain), Keep: true}, nil, true
	case p.Attempts >= tries:
		lost := &whatsapp.Error{Op: "send message", Class: whatsapp.Permanent, Message: "Twilio did not say what became of it, twice"}
		r, err := w.refused(ctx, p, lost)
		return r, err, true
	}
	return nil, nil, false
}

func (w *WhatsApp) failed(ctx context.Context, job queue.Job, p *store.Part, err error) (*queue.Result, error) {
	var e *whatsapp.Error
	if !errors.As(err, &e) {
		e = &whatsapp.Error{Class: whatsapp.Unknown, Message: "no answer"}
	}
	switch e.Class {
	case whatsapp.Unknown:
		w.count("unknown")
		return &queue.Result{Retry: 500 * time.Millisecond, Keep: true, Err: err}, nil
	case whatsapp.Retry:
		w.count("retried")
		return w.later(ctx, job, p, e), nil
	case whatsapp.Account:
		w.count("retried")
		return w.broken(ctx, p, e), nil
	}
	w.count("refused")
	return w.refused(ctx, p, e)
}

// later puts a part back that Twilio has certainly not taken.
func (w *WhatsApp) later(ctx context.Context, job queue.Job, p *store.Part, e *whatsapp.Error) *queue.Result {
	err := w.tx(ctx, func(ctx context.Context) error {
		if err := w.Phones.NotTaken(ctx, p.ID); err != nil || job.Attempts != alarmAt {
			return err
		}
		return w.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{SuperAdmin: true}, Content: text.TwilioStuck(e.Sentence()).Notice()}})
	})
	wait := e.RetryAfter
	if wait <= 0 {
		wait = min(500*time.Millisecond<<min(job.Attempts, 7), time.Minute)
	}
	return &queue.Result{Retry: wait, Err: errors.Join(e, err)}
}

// alarmAt is the attempt at which staff hear that something lasts.
const alarmAt = 8

// broken puts a part back that waits until the operator has mended the account.
func (w *WhatsApp) broken(ctx context.Context, p *store.Part, e *whatsapp.Error) *queue.Result {
	err := w.tx(ctx, func(ctx context.Context) error {
		if err := w.Phones.NotTaken(ctx, p.ID); err != nil {
			return err
		}
		return w.Phones.Broke(ctx, e, false)
	})
	wait := max(w.Phones.Breaker.Wait(p.Phone), time.Second)
	return &queue.Result{Retry: wait, Keep: true, Err: errors.Join(e, err)}
}

func (w *WhatsApp) refused(ctx context.Context, p *store.Part, e *whatsapp.Error) (*queue.Result, error) {
	again := false
	if err := w.tx(ctx, func(ctx context.Context) (err error) {
		again, err = w.Phones.LineFailed(ctx, p.ID, e)
		return err
	}); err != nil {
		return &queue.Result{Retry: time.Second, Keep: true, Err: err}, nil
	}
	if again {
		return &queue.Result{Retry: time.Millisecond, Keep: true, Err: e}, nil
	}
	return nil, e
}

func (w *WhatsApp) tx(ctx context.Context, fn func(context.Context) error) error {
	return w.Store.Tx(ctx, fn)
}

func (w *WhatsApp) count(outcome string) {
	if w.Sent != nil {
		w.Sent(outcome)
	}
}
