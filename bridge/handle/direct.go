package handle

import (
	"context"
	"encoding/json"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// known reports whether somebody is a person the bot talks to: by a platform role
// or as a member of a project.
func (h *Handler) known(ctx context.Context, user string) (bool, error) {
	if h.Policy.Known(user) {
		return true, nil
	}
	return h.Store.InAnyProject(ctx, user)
}

// invited accepts the invitations of people whom the bot knows and declines all
// others.
func (h *Handler) invited(ctx context.Context, in store.Input) error {
	var raws []json.RawMessage
	if err := json.Unmarshal(in.Raw, &raws); err != nil {
		return nil // nothing to learn from; whoever invited can do it again
	}
	for _, raw := range raws {
		e, err := matrix.ParseStripped(in.Room, raw)
		if err != nil || !e.IsState("m.room.member", h.Bot) || e.Membership() != "invite" {
			continue
		}
		known, err := h.known(ctx, e.Sender)
		if err != nil {
			return err
		}
		if !known {
			return h.Store.Do(ctx, effect.Effect{Leave: &effect.Leave{Room: in.Room}})
		}
		if direct, _ := e.Content["is_direct"].(bool); direct {
			if err := h.Store.AdoptDirect(ctx, e.Sender, in.Room, ""); err != nil {
				return err
			}
		}
		return h.Store.Do(ctx, effect.Effect{Join: &effect.Join{Room: in.Room}})
	}
	return nil
}

// gone forgets a room that the bot is no longer in; in a project's room that is
// drift.
func (h *Handler) gone(ctx context.Context, id string) error {
	room, err := h.Store.RoomByID(ctx, id)
	if err != nil || room == nil {
		return err
	}
	if room.Kind == store.Direct {
		return h.Store.ForgetDirect(ctx, room.User)
	}
	return h.Store.Do(ctx, effect.Effect{Reconcile: &effect.Reconcile{Project: room.Project}})
}

// discover finds out whether a room that somebody else made is a direct chat: one
// with the bot and one person whom it knows.
func (h *Handler) discover(ctx context.Context, ev *matrix.Event) error {
	switch ev.Type {
	case "m.room.create", "m.room.member", "m.room.encryption", "lanekeeper.lane":
	default:
		return nil
	}
	if err := h.Store.PutState(ctx, ev); err != nil {
		return err
	}
	create, err := h.Store.StateEvent(ctx, ev.Room, "m.room.create", "")
	if err != nil || create == nil || h.Ours(create.Sender) {
		return err
	}
	user, alone, err := h.other(ctx, ev.Room)
	if err != nil || !alone {
		return err
	}
	if refused, err := h.Store.Meta(ctx, metaEncrypted(ev.Room)); err != nil || refused != "" {
		return err
	}
	known, err := h.known(ctx, user)
	if err != nil || !known {
		return err
	}
	if err := h.Store.AdoptDirect(ctx, user, ev.Room, ""); err != nil {
		return err
	}
	return h.encrypted(ctx, ev.Room, user)
}

// other gives the one other person in a room where the bot is.
func (h *Handler) other(ctx context.Context, room string) (user string, alone bool, err error) {
	members, err := h.Store.Members(ctx, room)
	if err != nil {
		return "", false, err
	}
	in, others := false, 0
	for u, e := range members {
		switch m := e.Membership(); {
		case u == h.Bot:
			in = m == "join"
		case m == "join" || m == "invite":
			user, others = u, others+1
		}
	}
	return user, in && others == 1, nil
}

// direct watches a direct chat: with a third person it is none any more, and in
// an encrypted one the bot cannot read.
func (h *Handler) direct(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	switch ev.Type {
	case "m.room.encryption":
		return h.encrypted(ctx, room.ID, room.User)
	case "m.room.member":
		members, err := h.Store.Members(ctx, room.ID)
		if err != nil {
			return err
		}
		for u, e := range members {
			if u != h.Bot && u != room.User && (e.Membership() == "join" || e.Membership() == "invite") {
				return h.Store.ForgetDirect(ctx, room.User)
			}
		}
	}
	return nil
}

func metaEncrypted(room string) string { return "encrypted:" + room }

// encrypted says once, unencrypted, that the bot cannot read in a room, and goes
// on in another one.
func (h *Handler) encrypted(ctx context.Context, room, user string) error {
	e, err := h.Store.StateEvent(ctx, room, "m.room.encryption", "")
	if err != nil || e == nil {
		return err
	}
	first, err := h.Store.Once(ctx, metaEncrypted(room))
	if err != nil || !first {
		return err
	}
	if err := h.Store.ForgetDirect(ctx, user); err != nil {
		return err
	}
	say := func(to effect.Place, w text.Words) effect.Effect {
		return effect.Effect{Message: &effect.Message{To: to, Content: w.Notice()}}
	}
	return h.Store.Do(ctx,
		say(effect.Place{Room: room}, text.CannotRead()),
		say(effect.Place{Person: user}, text.ReadsHere()))
}

// newsAge is how old a message of a direct chat may be that comes before all we
// know of the bot's invitation.
const newsAge = time.Minute

// history reports whether a message was written in a direct chat before the bot
// was asked in: on joining a room homeservers send what was said there before.
func (h *Handler) history(ctx context.Context, ev *matrix.Event, room *store.Room) (bool, error) {
	if room.Kind != store.Direct || h.Store.Now().Sub(ev.TS) < newsAge {
		return false, nil
	}
	member, err := h.Store.Member(ctx, room.ID, h.Bot)
	return member == nil, err
}
