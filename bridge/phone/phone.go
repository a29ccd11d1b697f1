// Package phone is the queue of what an agent's phone is sent: bridge/handoff
// decides what agents shall read, bridge/relay carries it here, bridge/outbox
// sends what Turn gives it.
//
// A line waits for a phone as a row of wa_send, and a job of the queue "whatsapp"
// with the phone as its key works on it. The invariant: a phone has waiting lines
// ⇒ a job of the phone exists. It is kept by state, not by counting: whatever makes
// a line wait puts a job (Put, Rest), and a job ends only in a transaction that has
// looked whether lines still wait (Rest, Parked). So a job is a place in the phone's
// queue rather than its line, and there may be more jobs than lines: one that finds
// nothing to send ends.
package phone

import (
	"context"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Queue is the queues of all phones. Everything runs in the transaction that ctx
// carries.
type Queue struct {
	Store *store.Store
	Relay Relay
	Parts int // messages that one text becomes, at most; below 1: any number
	// Breaker stops everything while Twilio refuses the account; nil: nothing does.
	Breaker *whatsapp.Breaker
	// Took hears of each message that Twilio took; may be nil.
	Took func()
	// Link is the public address of the file of a message.
	Link func(event string) string
}

// Relay is what the queue asks of who carries handoffs; *relay.Relay in production.
type Relay interface {
	// Desk is what decisions know of the support team now.
	Desk(ctx context.Context) (*handoff.Desk, error)
	// Apply stores a decision: the handoff, its lines and its effects.
	Apply(ctx context.Context, h *handoff.Handoff, dec handoff.Decision) error
	// Read shows that an agent has read a message on WhatsApp.
	Read(ctx context.Context, p *store.Part) error
}

// Put makes a line wait for its turn at phones.
func Put(ctx context.Context, s *store.Store, line int64, phones ...string) error {
	for _, phone := range phones {
		if err := s.AddSend(ctx, line, phone); err != nil {
			return err
		}
		if err := s.Do(ctx, effect.Effect{WhatsApp: &effect.WhatsApp{Line: line, To: phone}}); err != nil {
			return err
		}
	}
	return nil
}

// Rest puts a job for a phone if lines wait for it. It runs in each transaction that
// ends a job of the phone, and in those that make a line wait again.
func (q *Queue) Rest(ctx context.Context, phone string) error {
	waits, err := q.Store.Waits(ctx, phone)
	if !waits || err != nil {
		return err
	}
	return q.Store.Do(ctx, effect.Effect{WhatsApp: &effect.WhatsApp{To: phone}})
}

// Parked runs in the transaction that sets a job of a phone aside, as its line made
// it fail again and again: that line is given up, which is said in its handoff's
// thread, and the others go on.
func (q *Queue) Parked(ctx context.Context, phone string) error {
	send, err := q.next(ctx, phone)
	if send == nil || err != nil {
		return err
	}
	if err := q.lost(ctx, send.Line, send.Handoff, phone, "Lanekeeper itself failed with it, see its log"); err != nil {
		return err
	}
	return q.Rest(ctx, phone)
}

// Start puts a job for each phone for which lines wait without one, which happens if
// setting a job aside failed. What kept a template from its phone may be mended since
// the last start, so that is tried anew.
func (q *Queue) Start(ctx context.Context, agents []string) error {
	if err := q.stillBroken(ctx); err != nil {
		return err
	}
	return q.Store.Tx(ctx, func(ctx context.Context) error {
		stranded, err := q.Store.Stranded(ctx)
		if err != nil {
			return err
		}
		for _, phone := range stranded {
			if err := q.Rest(ctx, phone); err != nil {
				return err
			}
		}
		phones, err := q.Store.Phones(ctx, agents)
		if err != nil {
			return err
		}
		for _, p := range phones {
			if p.Refused == "" {
				continue
			}
			p.Template, p.About, p.Refused = time.Time{}, 0, ""
			if err := q.Store.SavePhone(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}
