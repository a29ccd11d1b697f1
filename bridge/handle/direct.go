package handle

import (
	"context"
	"encoding/json"
	"errors"

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
		return h.Store.Do(ctx, effect.Effect{Join: &effect.Join{Room: in.Room}})
	}
	return nil
}

// gone forgets a room that the bot is no longer in; in a project's room that is
// drift.
func (h *Handler) gone(ctx context.Context, id string) error {
	room, err := h.Store.RoomByID(ctx, id)
	switch {
	case err != nil:
		return err
	case room == nil:
		return h.Store.ForgetState(ctx, id)
	case room.Kind == store.Direct:
		return h.Store.ForgetDirect(ctx, room.User, room.ID)
	}
	return h.Store.Do(ctx, effect.Effect{Reconcile: &effect.Reconcile{Project: room.Project}})
}

// tells reports whether a type of state says what a room is like.
func tells(typ string) bool {
	switch typ {
	case "m.room.create", "m.room.member", "m.room.encryption", "m.room.join_rules", "m.room.history_visibility":
		return true
	}
	return false
}

// discover learns what a room is like that somebody else made, or that was a
// direct chat once. Where the bot has just come in, and it is a direct chat, that
// is the one from now on: people write where they wrote last.
func (h *Handler) discover(ctx context.Context, ev *matrix.Event) error {
	if !tells(ev.Type) {
		return nil
	}
	if err := h.Store.PutState(ctx, ev); err != nil {
		return err
	}
	user, private, err := h.private(ctx, ev.Room)
	if err != nil || !private {
		return err
	}
	encryption, err := h.Store.StateEvent(ctx, ev.Room, "m.room.encryption", "")
	if err != nil || encryption != nil {
		return errors.Join(err, h.encrypted(ctx, ev.Room, user))
	}
	have, err := h.Store.DirectRoom(ctx, user)
	before, _ := ev.Unsigned.PrevContent["membership"].(string)
	came := ev.IsState("m.room.member", h.Bot) && before != "join"
	if err != nil || have != nil && !came {
		return err
	}
	return h.Store.AdoptDirect(ctx, user, ev.Room, "")
}

// talk gives the direct chat that a message stands in whose room is none of ours
// at the moment: an older one, or one that a third person has left.
func (h *Handler) talk(ctx context.Context, ev *matrix.Event) (*store.Room, error) {
	if ev.Type != "m.room.message" || h.Ours(ev.Sender) {
		return nil, nil
	}
	user, private, err := h.private(ctx, ev.Room)
	if err != nil || !private || user != ev.Sender {
		return nil, err
	}
	encryption, err := h.Store.StateEvent(ctx, ev.Room, "m.room.encryption", "")
	if err != nil || encryption != nil {
		return nil, err
	}
	if err := h.Store.AdoptDirect(ctx, user, ev.Room, ""); err != nil {
		return nil, err
	}
	return h.Store.RoomByID(ctx, ev.Room)
}

// crowd is how many people a room has had, gone ones too, that is not looked at: no
// direct chat has.
const crowd = 50

// private reports whether a room is for the bot and one person whom it knows, and
// nobody else reads there or comes in unasked: that person or the bot made it. What
// was said before the bot was invited was said to somebody else.
func (h *Handler) private(ctx context.Context, room string) (user string, ok bool, err error) {
	members, err := h.Store.SomeMembers(ctx, room, crowd)
	if err != nil || len(members) == crowd {
		return "", false, err
	}
	in, others := false, 0
	for u, e := range members {
		there := e.Membership() == "join" || e.Membership() == "invite"
		switch {
		case u == h.Bot:
			in = there
		case there:
			user, others = u, others+1
		}
	}
	if !in || others != 1 {
		return "", false, nil
	}
	create, err := h.Store.StateEvent(ctx, room, "m.room.create", "")
	if err != nil || create == nil || create.Sender != user && create.Sender != h.Bot {
		return "", false, err
	}
	if open, err := h.open(ctx, room); open || err != nil {
		return "", false, err
	}
	known, err := h.known(ctx, user)
	return user, known, err
}

// open reports whether others may read a room, or come in by themselves.
func (h *Handler) open(ctx context.Context, room string) (bool, error) {
	history, err := h.Store.StateEvent(ctx, room, "m.room.history_visibility", "")
	if err != nil {
		return false, err
	}
	if history != nil && history.Content["history_visibility"] == "world_readable" {
		return true, nil
	}
	rules, err := h.Store.StateEvent(ctx, room, "m.room.join_rules", "")
	return rules != nil && rules.Content["join_rule"] != "invite" && rules.Content["join_rule"] != "private", err
}

// direct watches a direct chat: with a third person, or when others may come in or
// read there, it is none any more, and in an encrypted one the bot cannot read.
func (h *Handler) direct(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	switch ev.Type {
	case "m.room.encryption":
		return h.encrypted(ctx, room.ID, room.User)
	case "m.room.join_rules", "m.room.history_visibility":
		if open, err := h.open(ctx, room.ID); !open || err != nil {
			return err
		}
		return h.Store.ForgetDirect(ctx, room.User, room.ID)
	case "m.room.member":
		members, err := h.Store.Members(ctx, room.ID)
		if err != nil {
			return err
		}
		for u, e := range members {
			if u != h.Bot && u != room.User && (e.Membership() == "join" || e.Membership() == "invite") {
				return h.Store.ForgetDirect(ctx, room.User, room.ID)
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
	say := func(to effect.Place, w text.Words) effect.Effect {
		return effect.Effect{Message: &effect.Message{To: to, Content: w.Notice()}}
	}
	create, err := h.Store.StateEvent(ctx, room, "m.room.create", "")
	if err != nil {
		return err
	}
	if create != nil && h.Ours(create.Sender) || h.Encrypts() {
		// The homeserver encrypts what the bot makes: another room would be no better.
		return h.Store.Do(ctx,
			say(effect.Place{Room: room}, text.CannotReadAnywhere()),
			say(effect.Place{SuperAdmin: true}, text.EncryptedForSuperAdmins()))
	}
	have, err := h.Store.DirectRoom(ctx, user)
	if err == nil && have != nil && have.ID == room {
		err = h.Store.ForgetDirect(ctx, user, room)
	}
	if err != nil {
		return err
	}
	return h.Store.Do(ctx,
		say(effect.Place{Room: room}, text.CannotRead()),
		say(effect.Place{Person: user}, text.ReadsHere()))
}

// unreadable answers an encrypted message in a direct chat of which nothing told
// that it is encrypted.
func (h *Handler) unreadable(ctx context.Context, room *store.Room) error {
	if room.Kind != store.Direct {
		return nil
	}
	return h.encrypted(ctx, room.ID, room.User)
}
