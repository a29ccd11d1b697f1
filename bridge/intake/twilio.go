package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Inbound stores a message that Twilio brought, once for each MessageSid. Twilio
// says nothing of the order of messages, so one that could not be stored, or came
// while we were away, has to be found before those that come now are stored.
func Inbound(l *Listing) func(context.Context, whatsapp.Inbound) error {
	return func(ctx context.Context, in whatsapp.Inbound) error {
		in.Came = l.Store.Now()
		l.wait(ctx)
		err := keepInbound(ctx, l.Store, in)
		if err != nil {
			l.refuse(in.MessageSID)
		}
		return err
	}
}

// keepInbound stores a message once. Another request with the same signature is a
// replay, though its parameters may be cut in other places.
func keepInbound(ctx context.Context, s *store.Store, in whatsapp.Inbound) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		if in.Signature != "" {
			if fresh, err := s.See(ctx, "signature:"+in.Signature); err != nil || !fresh {
				return err
			}
		}
		return keepTwilio(ctx, s, in.MessageSID, "phone:"+cmp.Or(in.From, in.ExternalUserID), store.InputWhatsApp, in)
	})
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
