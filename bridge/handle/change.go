package handle

import (
	"context"
	"strconv"
	"strings"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
)

// echo takes a message of ours as the homeserver shows it.
func (h *Handler) echo(ctx context.Context, ev *matrix.Event) error {
	prefix, rest, _ := strings.Cut(ev.Txn(), ".")
	if prefix == "" || prefix != h.Prefix {
		return nil
	}
	digits, _, _ := strings.Cut(rest, ".") // what follows says which try it was
	job, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil
	}
	return h.Store.Echo(ctx, job, ev.Room, ev.ID)
}

// edit takes new words for a message by whoever wrote it, in the room where it
// stands; some homeservers let others through.
func (h *Handler) edit(ctx context.Context, ev *matrix.Event, target string, room *store.Room) error {
	if h.Ours(ev.Sender) {
		return nil
	}
	if handled, err := h.Commands.Message(ctx, ev, room, relay.Talk{}); handled || err != nil {
		return err
	}
	m, err := h.Store.Message(ctx, target)
	if err != nil || m == nil || m.Sender != ev.Sender || m.Room != ev.Room || m.Redacted { // a deletion can come first
		return err
	}
	if _, err := h.Relay.Edit(ctx, ev); err != nil {
		return err
	}
	content := ev.NewContent()
	body, _ := content["body"].(string)
	return h.Store.EditMessage(ctx, target, body, matrix.HTML(content), relay.FileOf(content))
}

func (h *Handler) reaction(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if h.Ours(ev.Sender) {
		return nil
	}
	if handled, err := h.Commands.Reaction(ctx, ev, room); handled || err != nil {
		return err
	}
	// On what the bot said for a handoff 🙋 is a reaction like any other.
	if handled, err := h.Relay.Reaction(ctx, ev); handled || err != nil {
		return err
	}
	if _, key := ev.Annotates(); handoff.IsHand(key) {
		return h.Commands.Hand(ctx, ev, room)
	}
	return nil
}

// redaction takes the deletion of a message. Homeservers pass on deletions that
// they do not carry out themselves, so whose it is counts here, too.
func (h *Handler) redaction(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if valid, err := h.mayRedact(ctx, ev, room); err != nil || !valid {
		return err
	}
	if !h.Ours(ev.Sender) {
		if _, err := h.Relay.Redaction(ctx, ev); err != nil {
			return err
		}
	}
	return h.Store.RedactMessage(ctx, ev.Redacts)
}

// mayRedact reports whether an event of this room is deleted by who wrote it, or
// by somebody whose level lets them delete what others wrote.
func (h *Handler) mayRedact(ctx context.Context, ev *matrix.Event, room *store.Room) (bool, error) {
	m, err := h.Store.Message(ctx, ev.Redacts)
	switch {
	case err != nil:
		return false, err
	case m != nil && m.Room != room.ID:
		return false, nil
	case m != nil && m.Sender == ev.Sender, h.Ours(ev.Sender):
		return true, nil
	case m == nil:
		e, err := h.Store.HandoffEvent(ctx, ev.Redacts) // a reaction that counts
		if err != nil || e != nil && e.User == ev.Sender {
			return e != nil, err
		}
	}
	levels, err := h.Store.StateEvent(ctx, room.ID, "m.room.power_levels", "")
	if err != nil || levels == nil {
		return false, err
	}
	return levelOf(levels.Content, ev.Sender) >= number(levels.Content["redact"], 50), nil
}

// levelOf is the power level of somebody,
// https://spec.matrix.org/v1.15/client-server-api/#mroompower_levels.
func levelOf(levels map[string]any, user string) float64 {
	users, _ := levels["users"].(map[string]any)
	return number(users[user], number(levels["users_default"], 0))
}

func number(v any, otherwise float64) float64 {
	if n, ok := v.(float64); ok {
		return n
	}
	return otherwise
}

// welcome reports whether the bot listens to who wrote: whoever lost their role, or
// was taken out of their project, commands nothing from that moment on and reaches
// nobody, wherever they still are. What they take back is taken back all the same.
func (h *Handler) welcome(ctx context.Context, ev *matrix.Event, room *store.Room) (yes bool, err error) {
	switch {
	case h.Ours(ev.Sender) || ev.Type == "m.room.redaction":
		return true, nil
	case room.IsLane():
		if h.Policy.Can(ev.Sender, policy.See, nil) {
			return true, nil
		}
		role, err := h.Store.Role(ctx, room.Project, ev.Sender)
		return role != "", err
	case room.Kind == store.Direct:
		if yes, err = h.known(ctx, ev.Sender); yes || err != nil {
			return yes, err
		}
		return false, h.Relay.End(ctx, ev.Sender, "")
	}
	return true, nil
}

// old takes an event from a time of which it is not known any more what came in
// (intake forgets): it is remembered where nothing newer is, and nothing is done
// about it.
func (h *Handler) old(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	switch {
	case ev.StateKey != nil && (room != nil || tells(ev.Type)):
		return h.Store.PutOldState(ctx, ev)
	case room != nil && ev.Type == "m.room.message" && ev.Replaces() == "":
		return h.remember(ctx, ev)
	}
	return nil
}
