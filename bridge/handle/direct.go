package handle

import (
	"context"
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

// tells reports whether a type of state says what a room is like.
func tells(typ string) bool {
	switch typ {
	case "m.room.create", "m.room.member", "m.room.encryption", "m.room.join_rules", "m.room.history_visibility":
		return true
	}
	return false
}

// discover learns what a room is like that somebody else made, or that was a
// direct chat once. Where the bot has just come in (fresh), it looks when all is
// known: see came.
func (h *Handler) discover(ctx context.Context, ev *matrix.Event, fresh bool) error {
	if !tells(ev.Type) {
		return nil
	}
	if err := h.Store.PutState(ctx, ev); err != nil || fresh {
		return err
	}
	user, is, err := h.look(ctx, ev.Room)
	switch {
	case err != nil:
		return err
	case is == direct:
		return h.adopt(ctx, ev.Room, user, false)
	case is == crowded, is == deserted:
		return h.quit(ctx, ev.Room, is)
	}
	return nil
}

// adopt makes a room the direct chat with somebody: if it is the latest one, or they
// have none. One that is encrypted the bot cannot read.
func (h *Handler) adopt(ctx context.Context, room, user string, latest bool) error {
	encryption, err := h.Store.StateEvent(ctx, room, "m.room.encryption", "")
	if err != nil || encryption != nil {
		return errors.Join(err, h.encrypted(ctx, room, user))
	}
	have, err := h.Store.DirectRoom(ctx, user)
	if err != nil || have != nil && !latest {
		return err
	}
	return h.Store.AdoptDirect(ctx, user, room, "")
}

// talk gives the direct chat that a message stands in whose room is none of ours
// at the moment: an older one, or one that a third person has left.
func (h *Handler) talk(ctx context.Context, ev *matrix.Event) (*store.Room, error) {
	if ev.Type != "m.room.message" || h.Ours(ev.Sender) {
		return nil, nil
	}
	user, is, err := h.look(ctx, ev.Room)
	if err != nil || is != direct || user != ev.Sender {
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

// shape is what a room is for the bot.
type shape int

const (
	outside  shape = iota // the bot is not in it
	direct                // it and one person whom it knows, nobody but ours else reads there or comes in unasked
	deserted              // it is alone there
	crowded               // so many that nobody looks who they are
	group                 // anything else
)

// crowd is how many people a room has had, gone ones too, that is not looked at: no
// direct chat has.
const crowd = 50

// look says what a room is. In a direct chat that person or one of ours made the room:
// what was said before the bot was invited was said to somebody else.
func (h *Handler) look(ctx context.Context, room string) (user string, is shape, err error) {
	members, err := h.Store.SomeMembers(ctx, room, crowd)
	if err != nil {
		return "", outside, err
	}
	in, others := false, 0
	for u, e := range members {
		there := e.Membership() == "join" || e.Membership() == "invite"
		switch {
		case u == h.Bot:
			in = there
		case there && !h.Ours(u):
			user, others = u, others+1
		}
	}
	switch {
	case len(members) == crowd:
		return "", crowded, nil
	case !in:
		return "", outside, nil
	case others == 0:
		return "", deserted, nil
	case others > 1:
		return "", group, nil
	}
	create, err := h.Store.StateEvent(ctx, room, "m.room.create", "")
	if err != nil || create == nil || create.Sender != user && !h.Ours(create.Sender) || create.Content["type"] != nil { // a Space, for one
		return "", group, err
	}
	if open, err := h.open(ctx, room); open || err != nil {
		return "", group, err
	}
	if known, err := h.known(ctx, user); err != nil || !known {
		return "", group, err
	}
	return user, direct, nil
}

// opens reports whether a join rule lets people in whom nobody asked.
func opens(rule string) bool { return rule != "invite" && rule != "private" }

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
	if rules == nil || err != nil {
		return false, err
	}
	rule, _ := rules.Content["join_rule"].(string)
	return opens(rule), nil
}

// watch keeps an eye on a direct chat: with a third person, or when others may come in or
// read there, it is none any more, and in an encrypted one the bot cannot read.
func (h *Handler) watch(ctx context.Context, ev *matrix.Event, room *store.Room) error {
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
			if !h.Ours(u) && u != room.User && (e.Membership() == "join" || e.Membership() == "invite") {
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

// noKeys answers an encrypted message in a direct chat of which nothing told
// that it is encrypted.
func (h *Handler) noKeys(ctx context.Context, room *store.Room) error {
	if room.Kind != store.Direct {
		return nil
	}
	return h.encrypted(ctx, room.ID, room.User)
}
