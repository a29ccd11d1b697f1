package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Outcomes asks Twilio what became of messages when no callback tells. A callback
// that could not be delivered to us is not repeated, and with it would be lost that
// a message never arrived.
type Outcomes struct {
	Twilio interface {
		Fetch(ctx context.Context, sid string) (whatsapp.Status, error)
	}
	Store *store.Store
	Log   zerolog.Logger
	Every time.Duration

	after int64 // the last part that was asked for; the next look goes on behind it
}

const (
	// overdue is how long after the last news of a message Twilio is asked.
	overdue = 2 * time.Minute
	// hopeless is when a message that Twilio was asked for once more counts as one of
	// unknown outcome, as nothing more is to be expected: Twilio keeps a message for
	// WhatsApp for 4 hours, and gives up after 10
	// (https://www.twilio.com/docs/messaging/api/message-resource, ValidityPeriod).
	hopeless = 12 * time.Hour
	// asked is how many messages one look asks for.
	asked = 50
)

// Run looks until ctx ends.
func (o *Outcomes) Run(ctx context.Context) error {
	for {
		if err := o.once(ctx); err != nil && ctx.Err() == nil {
			o.Log.Warn().Err(err).Msg("Could not ask Twilio what became of messages")
		}
		timer := time.NewTimer(o.Every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (o *Outcomes) once(ctx context.Context) error {
	now := o.Store.Now()
	late, err := o.Store.Unsettled(ctx, o.after, now.Add(-overdue), asked)
	if err != nil {
		return err
	}
	keep := Status(o.Store)
	for _, m := range late {
		o.after = m.Part // whatever comes of it: nobody waits behind one that gets no answer
		status, err := o.Twilio.Fetch(ctx, m.SID)
		var refused *whatsapp.Error
		switch {
		case errors.As(err, &refused) && refused.Class == whatsapp.Permanent: // Twilio does not know it any more
			status = whatsapp.Status{MessageSID: m.SID}
		case err != nil:
			return fmt.Errorf("outcomes: %w", err)
		}
		if !status.Settled() && m.Changed.Before(now.Add(-hopeless)) {
			status.Status = whatsapp.StatusUnknown
		}
		if status.Status != "" {
			if err := keep(ctx, status); err != nil {
				return err
			}
		}
	}
	if len(late) < asked {
		o.after = 0
	}
	return nil
}
