package handle

import (
	"context"
	"errors"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/store"
)

// lookAgain is after how long the profile of somebody may be another one.
const lookAgain = 24 * time.Hour

// lookUp asks the homeserver about people whom a command names, and whom nobody has seen
// in a room: they may be mistyped, and an answer names them. It stands before the
// transaction, which asks nobody, and is no part of it: without an answer nothing is
// known of them, and the command goes on.
func (h *Handler) lookUp(ctx context.Context, ev *matrix.Event) {
	users, prefixed := h.Commands.New(ev)
	if h.Look == nil || len(users) == 0 || h.Ours(ev.Sender) {
		return
	}
	room, err := h.Store.RoomByID(ctx, ev.Room)
	if err != nil || room == nil || room.IsLane() && !prefixed {
		return
	}
	if might, err := h.Actions.Might(ctx, ev.Sender, "", policy.People, policy.Accept, policy.Project); err != nil || !might {
		return
	}
	for _, user := range users {
		if err := h.lookAt(ctx, user); err != nil {
			h.Log.Debug().Err(err).Msg("A profile cannot be looked up")
			return // nor can the others
		}
	}
}

func (h *Handler) lookAt(ctx context.Context, user string) error {
	known, err := h.Store.Profile(ctx, user)
	if err != nil || known != nil && !known.Missing && h.Store.Now().Sub(known.At) < lookAgain {
		return err
	}
	seen, err := h.Store.Seen(ctx, user)
	if err != nil || seen && known == nil {
		return err
	}
	name, missing := "", false
	if !seen {
		name, missing, err = h.Look(ctx, user)
	}
	if err != nil && known != nil { // they may be there by now
		return errors.Join(err, h.Store.ForgetProfile(ctx, user))
	}
	if err != nil {
		return err
	}
	return h.Store.SaveProfile(ctx, &store.Profile{User: user, Name: name, Missing: missing, At: h.Store.Now()})
}
