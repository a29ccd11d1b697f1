package intake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Listing finds what Twilio could not deliver to us: it has no retry worth the
// name, so what came is looked up at start, every few minutes, and whenever a
// webhook had to be refused. Until a look has found what is missing, newer messages
// wait for it.
type Listing struct {
	Twilio interface {
		Missed(ctx context.Context, since, until time.Time) ([]whatsapp.Inbound, error)
	}
	Store *store.Store
	Log   zerolog.Logger
	Every time.Duration

	poke chan struct{} // a webhook was refused

	mu       sync.Mutex
	complete chan struct{}   // closed when nothing is known to be missing
	refused  map[string]bool // MessageSids
}

// NewListing makes a Listing, which may miss something.
func NewListing(twilio *whatsapp.Client, s *store.Store, log zerolog.Logger, every time.Duration) *Listing {
	return &Listing{
		Twilio: twilio, Store: s, Log: log, Every: every,
		poke: make(chan struct{}, 1), complete: make(chan struct{}), refused: map[string]bool{},
	}
}

const metaListed = "twilio_listed"

const (
	// listingTime is how long a webhook waits for a look. Twilio waits for 15 s
	// (https://www.twilio.com/docs/api/errors/11205).
	listingTime = 5 * time.Second
	// span is how much time one request lists: after days away each part is stored
	// before the next one is asked for.
	span = 6 * time.Hour
	// overlap is how far each look reaches back before the last one.
	overlap = 5 * time.Minute
	// lostTime is how far back a look goes when the clock was set back.
	lostTime = 24 * time.Hour
	// grace is how long a webhook may be under way: it says more than the listing
	// (what was quoted, which button), so it comes first.
	grace = 30 * time.Second
	// maxRefused bounds what is remembered of refused webhooks; the others are found
	// when their grace is over.
	maxRefused = 1000
)

// early are the first pauses: Twilio's listing lags, so what came in just before
// the start may not show in the first look.
var early = []time.Duration{5 * time.Second, 30 * time.Second}

// wait waits until nothing is known to be missing, but not long.
func (l *Listing) wait(ctx context.Context) {
	l.mu.Lock()
	complete := l.complete
	l.mu.Unlock()
	timer := time.NewTimer(listingTime)
	defer timer.Stop()
	select {
	case <-complete:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// refuse notes that a webhook could not be stored: it is missing now.
func (l *Listing) refuse(sid string) {
	l.mu.Lock()
	if len(l.refused) < maxRefused {
		l.refused[sid] = true
	}
	select {
	case <-l.complete:
		l.complete = make(chan struct{})
	default:
	}
	l.mu.Unlock()
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// found notes that a look has found what was missing when it began.
func (l *Listing) found(missing chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.complete != missing {
		return // something else is missing since
	}
	select {
	case <-missing:
	default:
		close(missing)
	}
}

// Run looks until ctx ends. A look that fails is repeated after a second, doubled
// each time until it is as long as the usual pause.
func (l *Listing) Run(ctx context.Context) error {
	started, failures := l.Store.Now(), 0
	for look := 0; ; look++ {
		l.mu.Lock()
		missing := l.complete
		l.mu.Unlock()
		pause := l.Every
		switch err := l.once(ctx, started); {
		case err == nil:
			l.found(missing)
			failures = 0
			if look < len(early) {
				pause = early[look]
			}
		case ctx.Err() != nil:
		default:
			pause = min(time.Second<<min(failures, 10), l.Every)
			failures++
			l.Log.Warn().Err(err).Dur("retry", pause).Msg("Could not list the messages at Twilio")
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.poke:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// from is where a look begins. ahead: the clock was set back since the last one. Then
// nobody knows what that one saw, or what time it is now, so the look goes back for a
// day, and not beyond now.
func (l *Listing) from(ctx context.Context, now time.Time) (since time.Time, ahead bool, err error) {
	last, err := l.Store.Meta(ctx, metaListed)
	if err != nil {
		return since, false, err
	}
	t, err := time.Parse(time.RFC3339, last)
	switch {
	case err != nil:
		return now.Add(-overlap), false, nil // a first start has missed nothing
	case t.After(now.Add(overlap)):
		return now.Add(-lostTime), true, nil
	}
	since = t.Add(-overlap)
	// What came before that time would count as news though it was taken in long ago.
	if forgotten, err := l.Store.Forgotten(ctx); err != nil || forgotten.After(since) && forgotten.Before(now) {
		return forgotten, false, err
	}
	return since, false, nil
}

func (l *Listing) once(ctx context.Context, started time.Time) error {
	now := l.Store.Now()
	since, ahead, err := l.from(ctx, now)
	if err != nil {
		return err
	}
	for {
		until, seen := since.Add(span), since.Add(span)
		last := !until.Before(now)
		if last {
			until, seen = time.Time{}, now
		}
		if last && ahead {
			until = now
		}
		all, err := l.Twilio.Missed(ctx, since, until)
		if err != nil {
			return fmt.Errorf("listing: %w", err)
		}
		if err := l.keep(ctx, all, started, now); err != nil {
			return err
		}
		// Up to here nothing is missing any more.
		if err := l.Store.SetMeta(ctx, metaListed, seen.UTC().Format(time.RFC3339)); err != nil || last {
			return err
		}
		since = until
	}
}

// keep stores what a look found, but for what a webhook is bringing.
func (l *Listing) keep(ctx context.Context, all []whatsapp.Inbound, started, now time.Time) error {
	for _, in := range all {
		l.mu.Lock()
		refused := l.refused[in.MessageSID]
		l.mu.Unlock()
		if !refused && in.Sent.After(started) && now.Sub(in.Sent) < grace {
			continue // its webhook is on the way; the next look reaches back to it
		}
		if err := keepInbound(ctx, l.Store, in); err != nil {
			return err
		}
		l.mu.Lock()
		delete(l.refused, in.MessageSID)
		l.mu.Unlock()
	}
	return nil
}
