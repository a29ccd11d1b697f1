package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Inbound stores a message that Twilio brought, once for each MessageSid, behind
// those that came while we were away: it waits for the first listing, but not long.
func Inbound(l *Listing) func(context.Context, whatsapp.Inbound) error {
	return func(ctx context.Context, in whatsapp.Inbound) error {
		timer := time.NewTimer(listingTime)
		defer timer.Stop()
		select {
		case <-l.begun:
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("intake: %w", ctx.Err())
		}
		return keepInbound(ctx, l.Store, in)
	}
}

func keepInbound(ctx context.Context, s *store.Store, in whatsapp.Inbound) error {
	return keepTwilio(ctx, s, in.MessageSID, "phone:"+cmp.Or(in.From, in.ExternalUserID), store.InputWhatsApp, in)
}

// Status stores a status callback. Twilio repeats and reorders them; each state
// of a message counts once.
func Status(s *store.Store) func(context.Context, whatsapp.Status) error {
	return func(ctx context.Context, st whatsapp.Status) error {
		return keepTwilio(ctx, s, st.MessageSID+":"+st.Status, "sid:"+st.MessageSID, store.InputStatus, st)
	}
}

func keepTwilio(ctx context.Context, s *store.Store, id, key, kind string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	return s.Tx(ctx, func(ctx context.Context) error {
		_, err := keep(ctx, s, []arrival{{id: id, key: key, input: store.Input{Kind: kind, Raw: raw}}})
		return err
	})
}

// Listing finds what Twilio could not deliver to us: it has no retry worth the
// name, so what came is looked up at start and every few minutes.
type Listing struct {
	Twilio interface {
		Missed(ctx context.Context, since time.Time) (all []whatsapp.Inbound, more bool, err error)
	}
	Store *store.Store
	Log   zerolog.Logger
	Every time.Duration

	begun chan struct{} // closed after the first look, whether it worked or not
}

// NewListing makes a Listing.
func NewListing(twilio *whatsapp.Client, s *store.Store, log zerolog.Logger, every time.Duration) *Listing {
	return &Listing{Twilio: twilio, Store: s, Log: log, Every: every, begun: make(chan struct{})}
}

const metaListed = "twilio_listed"

// early are the first pauses: Twilio's listing lags, so what came in just before
// the start may not show in the first look.
var early = []time.Duration{5 * time.Second, 30 * time.Second}

const (
	// listingTime is how long a webhook waits for the first look. Twilio waits for
	// 15 s (https://www.twilio.com/docs/api/errors/11205).
	listingTime = 5 * time.Second
	// overlap is how far each look reaches back before the last one.
	overlap = 5 * time.Minute
	// grace is how long a webhook may be under way: it says more than the listing
	// (what was quoted, which button), so it comes first.
	grace = 30 * time.Second
)

// Run looks until ctx ends.
func (l *Listing) Run(ctx context.Context) error {
	started := l.Store.Now()
	for look := 0; ; look++ {
		if err := l.once(ctx, started); err != nil && ctx.Err() == nil {
			l.Log.Warn().Err(err).Msg("Could not list the messages at Twilio")
		}
		pause := l.Every
		if look < len(early) {
			pause = early[look]
		}
		if look == 0 {
			close(l.begun)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (l *Listing) once(ctx context.Context, started time.Time) error {
	now := l.Store.Now()
	since := now.Add(-overlap) // a first start has missed nothing
	last, err := l.Store.Meta(ctx, metaListed)
	if err != nil {
		return err
	}
	if t, err := time.Parse(time.RFC3339, last); err == nil {
		since = t.Add(-overlap)
	}
	found, more, err := l.Twilio.Missed(ctx, since)
	if err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	if more {
		l.Log.Error().Time("since", since).Msg("More messages at Twilio than one listing holds: some that came in while we were away are missing")
	}
	for _, in := range found {
		if in.Sent.After(started) && now.Sub(in.Sent) < grace {
			continue // its webhook is on the way; the next look reaches back to it
		}
		if err := keepInbound(ctx, l.Store, in); err != nil {
			return err
		}
	}
	return l.Store.SetMeta(ctx, metaListed, now.UTC().Format(time.RFC3339))
}
