package intake

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/store"
)

// margin is how far the time in an event may be from when it came in. What is
// older than what is known by that counts as something that may have come before.
const margin = 24 * time.Hour

// markOld marks the events that happened before all ids are known from: whether
// they came in already cannot be told any more. Events of our time cost nothing.
func markOld(ctx context.Context, s *store.Store, arrivals []arrival) error {
	recent := s.Now().Add(margin - store.SeenFor)
	var forgotten time.Time
	for i := range arrivals {
		a := &arrivals[i]
		if a.at.IsZero() || a.at.After(recent) {
			continue
		}
		if forgotten.IsZero() {
			var err error
			if forgotten, err = s.Forgotten(ctx); err != nil || forgotten.IsZero() {
				return err
			}
		}
		a.input.Old = a.input.Old || a.at.Before(forgotten.Add(margin))
	}
	return nil
}

// Forgetting deletes what is over, once a day: the ids of what came in long ago
// (store.SeenFor), and words, closed handoffs and the like by the operator's choice.
type Forgetting struct {
	Store *store.Store
	Log   zerolog.Logger
	// Ready reports whether the sync has caught up since the start. Until then
	// nothing is forgotten: what happened while we were away is news, however long
	// ago that was.
	Ready func() bool
	Keep  store.Retention // of what is over
	Bot   string
}

const (
	forgetFirst = 10 * time.Minute // after the start
	forgetEvery = 24 * time.Hour
	oldChunk    = 500
	forgetChunk = 2000 // ids in one transaction: nobody waits long for it
)

// Run forgets until ctx ends.
func (f *Forgetting) Run(ctx context.Context) error {
	pause := forgetFirst
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if pause = forgetEvery; !f.Ready() {
			pause = forgetFirst
		} else if err := errors.Join(f.once(ctx), f.old(ctx)); err != nil && ctx.Err() == nil {
			f.Log.Warn().Err(err).Msg("What is over cannot be deleted; the next try is tomorrow")
		}
	}
}

// old deletes what is kept long enough, in portions.
func (f *Forgetting) old(ctx context.Context) error {
	for more := true; more; {
		var err error
		if more, err = f.Store.ForgetOld(ctx, f.Keep, oldChunk); err != nil {
			return err
		}
	}
	before := f.Store.Now().Add(-f.Keep.Messages)
	for after := time.UnixMilli(-1 << 53); !after.IsZero(); {
		var err error
		if after, err = f.Store.ForgetLeft(ctx, f.Bot, after, before, oldChunk); err != nil {
			return err
		}
	}
	return nil
}

// once deletes what the run before announced, and announces what the next one
// deletes: no transaction that looked for an id sees it vanish.
func (f *Forgetting) once(ctx context.Context) error {
	if gaps, err := f.Store.AnyGap(ctx); gaps || err != nil { // what is still to be read may be old, and news
		return err
	}
	until, err := f.Store.Forgotten(ctx)
	if err != nil {
		return err
	}
	if latest := f.Store.Now().Add(-store.SeenFor); until.After(latest) { // announced by a clock that was ahead
		until = latest
	}
	for more := !until.IsZero(); more; {
		if more, err = f.Store.ForgetSeen(ctx, until, forgetChunk); err != nil {
			return err
		}
	}
	for more := true; more; {
		if more, err = f.Store.ForgetMeters(ctx, f.Store.Now().Add(-forgetEvery), forgetChunk); err != nil {
			return err
		}
	}
	next := f.Store.Now().Add(-store.SeenFor)
	if next.Before(until) { // the clock was set back
		return nil
	}
	return f.Store.WillForget(ctx, next)
}
