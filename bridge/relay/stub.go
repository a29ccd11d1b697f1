package relay

import (
	"context"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

var errSoon = project.Refuse(project.Unavailable, "Handoffs are not wired yet.")

// Ask opens a handoff, or joins the one that is open in the same thread. It sends
// the one notice that answers the command, so nobody else answers it. fields are
// {"handoff": number}.
func (r *Relay) Ask(ctx context.Context, in AskInput) (fields map[string]any, err error) {
	return nil, errSoon
}

// LaneMessage takes a message of a lane that stands in a handoff's thread or
// answers a message there. handled: it belongs to a handoff, whoever wrote it.
func (r *Relay) LaneMessage(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	return false, nil
}

// DirectMessage takes a message of a direct chat that belongs to a handoff:
// unthreaded talk belongs to the newest open one.
func (r *Relay) DirectMessage(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	return false, nil
}

// InConversation reports whether a message stands in a handoff's thread, or in a
// direct chat with an open handoff: there only prefixed text is a command.
func (r *Relay) InConversation(ctx context.Context, ev *matrix.Event, room *store.Room) (bool, error) {
	return false, nil
}

// SuperAdminMessage takes a message of the super-admin room that stands in a card's thread.
func (r *Relay) SuperAdminMessage(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	return false, nil
}

// Reaction takes ✋ on a card, ✅ on a consent notice, and reactions on answers.
func (r *Relay) Reaction(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	return false, nil
}

// Edit takes an m.replace of anything that belongs to a handoff.
func (r *Relay) Edit(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	return false, nil
}

// Redaction takes the deletion of anything that belongs to a handoff.
func (r *Relay) Redaction(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	return false, nil
}

// Handoffs lists handoffs: scope is open, mine or all. fields are {"handoffs": […]}.
func (r *Relay) Handoffs(ctx context.Context, actor, scope string) (fields map[string]any, words text.Words, err error) {
	return nil, text.Words{}, errSoon
}

// Take makes the actor the owner. n 0: the handoff of the thread where the command stands.
func (r *Relay) Take(ctx context.Context, actor string, at At, n int64, force bool) (fields map[string]any, words text.Words, err error) {
	return nil, text.Words{}, errSoon
}

// Release gives a handoff back to everybody.
func (r *Relay) Release(ctx context.Context, actor string, at At, n int64) (fields map[string]any, words text.Words, err error) {
	return nil, text.Words{}, errSoon
}

// Close ends a handoff; the asker may, too.
func (r *Relay) Close(ctx context.Context, actor string, at At, n int64) (fields map[string]any, words text.Words, err error) {
	return nil, text.Words{}, errSoon
}

// Reopen opens a closed handoff again.
func (r *Relay) Reopen(ctx context.Context, actor string, at At, n int64) (fields map[string]any, words text.Words, err error) {
	return nil, text.Words{}, errSoon
}
