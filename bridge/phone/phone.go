// Package phone is the queue of what an agent's phone is sent: bridge/handoff
// decides what agents shall read, bridge/relay carries it here, bridge/outbox
// sends what Turn gives it.
//
// A line waits for a phone as a row of wa_send, and a job of the queue "whatsapp"
// with the phone as its key works on it. The invariant: a phone has waiting lines
// ⇒ a job of the phone exists. A job is a place in the phone's queue rather than
// its line, so what counts is only that there is one.
package phone

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/store"
)

// Queue is the queues of all phones. Everything runs in the transaction that ctx
// carries.
type Queue struct {
	Store *store.Store
	Relay Relay
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
