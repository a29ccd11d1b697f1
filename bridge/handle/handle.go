// Package handle takes one stored input and brings it to the one place that
// decides it, in one transaction: what that writes and what it wants done stand
// or fall together with the input. It dispatches and decides nothing itself.
package handle

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/command"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Handler handles the jobs of the queue "in".
type Handler struct {
	Store    *store.Store
	Commands *command.Commands
	Actions  *action.Actions
	Relay    *relay.Relay
	Phones   *phone.Queue
	Policy   *policy.Policy
	Bot      string // MXID
	// SuperAdmin is the room that the configuration names for staff; empty: none.
	SuperAdmin  string
	DirectChats int                    // how many rooms one person may invite the bot to
	Ours        func(user string) bool // the bot and the ghosts
	Encrypts    func() bool            // whether the homeserver encrypts new rooms by itself
	// Look asks our homeserver about one of its users, for a few seconds; may be nil.
	Look   func(ctx context.Context, user string) (name string, missing bool, err error)
	Dirty  func(*matrix.Event) bool // whether a state event calls for a look at its room
	Prefix string                   // of the transaction ids of this database; see outbox.Matrix
	Log    zerolog.Logger
}

func (h *Handler) input(ctx context.Context, in store.Input, ev *matrix.Event) error {
	switch in.Kind {
	case store.InputEvent:
		return h.event(ctx, ev, in)
	case store.InputInvite:
		return h.invited(ctx, in)
	case store.InputCame:
		return h.came(ctx, in.Room)
	case store.InputCrowd:
		return h.quit(ctx, in.Room, crowded)
	case store.InputGone:
		return h.gone(ctx, in.Room)
	case store.InputTimer:
		return h.timer(ctx, in.Timer)
	case store.InputWhatsApp:
		var m whatsapp.Inbound
		if err := json.Unmarshal(in.Raw, &m); err != nil {
			return fmt.Errorf("handle: WhatsApp message: %w", err)
		}
		return h.Relay.Inbound(ctx, m)
	case store.InputStatus:
		var s whatsapp.Status
		if err := json.Unmarshal(in.Raw, &s); err != nil {
			return fmt.Errorf("handle: WhatsApp status: %w", err)
		}
		return h.Phones.Status(ctx, s)
	case store.InputFile:
		var f effect.Fetched
		if err := json.Unmarshal(in.Raw, &f); err != nil {
			return fmt.Errorf("handle: file: %w", err)
		}
		return h.Relay.FileCame(ctx, f)
	}
	return nil
}

// pending says that a command waits for Matrix.
func (h *Handler) pending(ctx context.Context, command string) error {
	return h.Store.AnswerPending(ctx, command, h.Policy.MayNameAll)
}

// timer brings what its kind stands for.
func (h *Handler) timer(ctx context.Context, t *effect.Timer) error {
	due := map[effect.TimerKind]func(context.Context, string) error{
		store.TimerAnswer:  h.pending,
		action.TimerExpire: h.Actions.Expire,
		phone.TimerRetry:   h.Phones.Retry,
		relay.TimerKept:    h.Relay.KeptOver,
	}[t.Kind]
	if due == nil {
		return fmt.Errorf("handle: no timer is of the kind %q", t.Kind)
	}
	return due(ctx, t.Arg)
}

func (h *Handler) event(ctx context.Context, ev *matrix.Event, in store.Input) error {
	room, err := h.Store.RoomByID(ctx, ev.Room)
	switch {
	case err != nil:
		return err
	case in.Old:
		return h.old(ctx, ev, room)
	case ev.StateKey != nil && room == nil:
		return h.discover(ctx, ev, in.Fresh)
	case ev.StateKey != nil:
		return h.state(ctx, ev, room)
	}
	if room == nil {
		if room, err = h.talk(ctx, ev); room == nil || err != nil {
			return err // a room where we have no business
		}
	}
	if welcome, err := h.welcome(ctx, ev, room); err != nil || !welcome {
		return err
	}
	switch ev.Type {
	case "m.room.message":
		return h.message(ctx, ev, room)
	case "m.sticker", "m.poll.start", "org.matrix.msc3381.poll.start":
		return h.shown(ctx, ev, room)
	case "m.reaction":
		return h.reaction(ctx, ev, room)
	case "m.room.redaction":
		return h.redaction(ctx, ev, room)
	case "m.room.encrypted":
		return h.noKeys(ctx, room)
	}
	return nil
}

// state remembers what a room is like now, and has it looked at where that may
// differ from the record.
func (h *Handler) state(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if err := h.Store.PutState(ctx, ev); err != nil {
		return err
	}
	switch {
	case room.Kind == store.Direct:
		return h.watch(ctx, ev, room)
	case h.Dirty(ev):
		return h.Store.Do(ctx, effect.Effect{Reconcile: &effect.Reconcile{Project: room.Project}})
	}
	return nil
}

func (h *Handler) message(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if target := ev.Replaces(); target != "" {
		return h.edit(ctx, ev, target, room)
	}
	if err := h.remember(ctx, ev); err != nil {
		return err
	}
	if h.Ours(ev.Sender) {
		return h.echo(ctx, ev)
	}
	talk, err := h.Relay.Talk(ctx, ev, room)
	if err != nil {
		return err
	}
	if handled, err := h.Commands.Message(ctx, ev, room, talk); handled || err != nil {
		return err
	}
	if err := h.everybody(ctx, ev, room); err != nil {
		return err
	}
	return h.said(ctx, ev, room)
}

// shown takes what people show each other in a conversation that is no message: it is
// not carried, and that is said.
func (h *Handler) shown(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	talk, err := h.Relay.Talk(ctx, ev, room)
	if err != nil || h.Ours(ev.Sender) || !talk.In() {
		return err
	}
	if relay.FileOf(ev.Content) != nil {
		if err := h.remember(ctx, ev); err != nil {
			return err
		}
	}
	return h.said(ctx, ev, room)
}

// said brings what is no command to the conversation that it belongs to.
func (h *Handler) said(ctx context.Context, ev *matrix.Event, room *store.Room) (err error) {
	switch {
	case room.IsLane():
		_, err = h.Relay.LaneMessage(ctx, ev, room)
	case room.Kind == store.Direct:
		_, err = h.Relay.DirectMessage(ctx, ev, room)
	case room.Kind == store.SuperAdmin:
		_, err = h.Relay.SuperAdminMessage(ctx, ev)
	}
	return err
}

// remember keeps a message, for the context of a question and for what refers to it.
func (h *Handler) remember(ctx context.Context, ev *matrix.Event) error {
	return h.Store.SaveMessage(ctx, &store.Message{
		Event: ev.ID, Room: ev.Room, Sender: ev.Sender, TS: ev.TS, Type: ev.MsgType(),
		Body: ev.Body(), HTML: matrix.HTML(ev.Content), Thread: ev.Thread(), ReplyTo: ev.ReplyTo(), File: relay.FileOf(ev.Content),
	})
}
