package handle

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// underWay is how long the bot may need to get into a room that it was invited to.
// If it is not in by then, it does not count as a visit any more.
const underWay = time.Hour

// invitation is what an invitation says. The homeserver of who invites writes it, so
// it may be forged: all of it has to be right.
type invitation struct {
	inviters []string // who sent the bot's member events
	typ      string   // of the room; empty: a room where people talk
	joinRule string   // empty: not said
}

func readInvitation(room string, raws []json.RawMessage, bot string) (inv invitation) {
	for _, raw := range raws {
		e, err := matrix.ParseStripped(room, raw)
		switch {
		case err != nil:
		case e.IsState("m.room.member", bot):
			inv.inviters = append(inv.inviters, e.Sender)
		case e.IsState("m.room.create", ""):
			inv.typ, _ = e.Content["type"].(string)
		case e.IsState("m.room.join_rules", ""):
			inv.joinRule, _ = e.Content["join_rule"].(string)
		}
	}
	return inv
}

// server is that of who invited.
func (inv invitation) server() string {
	_, server, _ := strings.Cut(inv.inviters[0], ":")
	return server
}

// invited accepts the invitations of people whom the bot knows to what can be a
// direct chat, and declines all others.
func (h *Handler) invited(ctx context.Context, in store.Input) error {
	var raws []json.RawMessage
	if err := json.Unmarshal(in.Raw, &raws); err != nil {
		return nil // nothing to learn from; whoever invited can do it again
	}
	inv := readInvitation(in.Room, raws, h.Bot)
	if len(inv.inviters) == 0 {
		return nil
	}
	server := inv.server()
	decline := effect.Effect{Leave: &effect.Leave{Room: in.Room, Server: server}}
	for _, user := range inv.inviters {
		if known, err := h.known(ctx, user); err != nil || !known {
			return errors.Join(err, h.Store.Do(ctx, decline))
		}
	}
	room, err := h.Store.RoomByID(ctx, in.Room)
	if err != nil {
		return err
	}
	join := effect.Effect{Join: &effect.Join{Room: in.Room, Server: server}}
	if room != nil || in.Room == h.SuperAdmin {
		return h.Store.Do(ctx, join)
	}
	if inv.typ != "" || inv.joinRule != "" && opens(inv.joinRule) {
		return h.Store.Do(ctx, decline)
	}
	user := inv.inviters[0]
	if full, err := h.visited(ctx, user); err != nil || full {
		return errors.Join(err, h.Store.Do(ctx, decline))
	}
	if err := h.Store.SaveVisit(ctx, &store.Visit{Room: in.Room, User: user, Since: h.Store.Now()}); err != nil {
		return err
	}
	return h.Store.Do(ctx, join)
}

func metaVisits(user string) string { return "visits:" + user }

// visited reports whether the bot is in as many rooms at somebody's invitation as
// they may have, and tells them so once.
func (h *Handler) visited(ctx context.Context, user string) (full bool, err error) {
	visits, err := h.Store.Visits(ctx, user, h.DirectChats+1)
	if err != nil {
		return false, err
	}
	n := 0
	for _, v := range visits {
		me, err := h.Store.Member(ctx, v.Room, h.Bot)
		switch {
		case err != nil:
			return false, err
		case me != nil && me.Membership() == "join" || h.Store.Now().Sub(v.Since) < underWay:
			n++
		default: // it never got in
			if err := h.Store.DeleteVisit(ctx, v.Room); err != nil {
				return false, err
			}
		}
	}
	if n < h.DirectChats {
		return false, nil
	}
	first, err := h.Store.Once(ctx, metaVisits(user))
	if err != nil || !first {
		return true, err
	}
	return true, h.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{Person: user}, Content: text.EnoughRooms(n).Notice()}})
}

// came looks at a room that the bot has just come into, when all that the homeserver
// said of it is known. A direct chat is the one from now on: people write where they
// wrote last. In anything else there is nothing to do for the bot.
func (h *Handler) came(ctx context.Context, id string) error {
	if room, err := h.Store.RoomByID(ctx, id); err != nil || room != nil {
		return err
	}
	user, is, err := h.look(ctx, id)
	switch {
	case err != nil:
		return err
	case is == direct:
		had, err := h.Store.DirectRoom(ctx, user)
		if err != nil {
			return err
		}
		if err := h.adopt(ctx, id, user, true); err != nil || had != nil {
			return err
		}
		return h.greet(ctx, id, user)
	}
	return h.quit(ctx, id, is)
}

// greet says in somebody's first direct chat what the bot is there for, once, as the
// room is adopted once. Where it cannot read, other words are said; staff of handoffs
// read theirs in the super-admin room.
func (h *Handler) greet(ctx context.Context, id, user string) error {
	room, err := h.Store.RoomByID(ctx, id)
	if err != nil || room == nil || h.Policy.Can(user, policy.Handoff, nil) {
		return err
	}
	ask, err := h.Actions.MayAsk(ctx, user, "")
	if err != nil {
		return err
	}
	return h.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{Room: id}, Content: text.WelcomeForAnyone(ask).Notice()}})
}

// quit leaves a room that the bot was invited to, with a sentence that says why.
// Rooms where it is for another reason stay.
func (h *Handler) quit(ctx context.Context, id string, is shape) error {
	visit, err := h.Store.Visit(ctx, id)
	if err != nil || visit == nil || is == outside {
		return err
	}
	if err := h.endVisit(ctx, visit); err != nil {
		return err
	}
	effects := []effect.Effect{{Leave: &effect.Leave{Room: id}}}
	if is != deserted {
		goodbye := effect.Effect{Message: &effect.Message{To: effect.Place{Room: id}, Content: text.NoDirectChat().Notice()}}
		effects = append([]effect.Effect{goodbye}, effects...)
	}
	return h.Store.Do(ctx, effects...)
}

// endVisit forgets a visit; there may be another one in its place.
func (h *Handler) endVisit(ctx context.Context, v *store.Visit) error {
	if err := h.Store.DeleteVisit(ctx, v.Room); err != nil {
		return err
	}
	return h.Store.DeleteMeta(ctx, metaVisits(v.User))
}

// gone forgets a room that the bot is no longer in; in a project's room that is
// drift.
func (h *Handler) gone(ctx context.Context, id string) error {
	visit, err := h.Store.Visit(ctx, id)
	if err == nil && visit != nil {
		err = h.endVisit(ctx, visit)
	}
	if err != nil {
		return err
	}
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
