package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/command"
	"lanekeeper/bridge/matrix"
)

// clockNote is a difference of clocks that people may notice, in times that the bot
// names.
const clockNote = 30 * time.Second

// acting: may we read, may we use the names that the configuration gives us, and do
// the clocks agree?
func (x *examination) acting(ctx context.Context, hs *matrix.Client) {
	ctx, cancel := limited(ctx)
	defer cancel()
	const again = "Run lanekeeper -g again, give the registration to the homeserver (above), and restart it."
	if err := hs.TrySync(ctx); err != nil {
		x.fail(f("The bot %s cannot read (%v). It must be another user than the sender_localpart of the registration.", hs.Bot(), err), again)
	}
	switch err := hs.TryNames(ctx); {
	case errors.Is(err, matrix.ErrForeignGhosts):
		x.fail(f("The registration that the homeserver has read does not hold the names that appservice.username_template gives (%s…): nobody could answer from WhatsApp under their name.", x.cfg.GhostPrefix()), again)
	case errors.Is(err, matrix.ErrForeignAliases):
		x.fail(f("The registration that the homeserver has read does not hold the aliases of our rooms (#%s…): no room could be made.", x.cfg.GhostPrefix()), again)
	case err != nil:
		x.note(f("Whether the names of our users and rooms are ours is not known: %v.", err), "")
	}
	switch ahead, err := hs.ClockAhead(ctx); {
	case err != nil:
		x.note(f("The homeserver's clock is not known: %v.", err), "")
	case ahead.Abs() > command.TooOld/2:
		x.fail(f("The homeserver's clock is %s: commands that seem older than %s are not executed.", apart(ahead), command.TooOld), "Set the clocks of both computers (NTP).")
	case ahead.Abs() > clockNote:
		x.note(f("The homeserver's clock is %s: times that people read will be wrong.", apart(ahead)), "Set the clocks of both computers (NTP).")
	}
}

// apart says how far the homeserver's clock is from ours.
func apart(ahead time.Duration) string {
	if ahead < 0 {
		return (-ahead).Round(time.Second).String() + " behind ours"
	}
	return ahead.Round(time.Second).String() + " ahead of ours"
}

// staffRoom: is the bot in the room that the operator chose for staff, and is that
// room for staff only? All words of handoffs go there. Before the first start the bot
// is only invited.
func (x *examination) staffRoom(ctx context.Context, hs *matrix.Client) {
	room := x.cfg.Rooms.SuperAdmin
	if room == "" {
		return
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	joined, err := hs.JoinedRooms(ctx)
	switch {
	case err != nil:
		x.note(f("Whether the bot is in the room of rooms.super_admin is not known: %v.", err), "")
		return
	case !slices.Contains(joined, room):
		x.note("The bot is not in the room of rooms.super_admin yet: until then what staff shall read waits.", "Invite %s there, give it power level 100, and start Lanekeeper.", hs.Bot())
		return
	}
	state, err := hs.State(ctx, room)
	if err != nil {
		x.note(f("What the room of rooms.super_admin is like is not known: %v.", err), "")
		return
	}
	x.staffOnly(hs, state)
}

// staffOnly names what lets others than staff read in their room, and who is there.
func (x *examination) staffOnly(hs *matrix.Client, state []*matrix.Event) {
	const here = "The room of rooms.super_admin"
	staff := x.cfg.Policy().Exact("handoff")
	said := map[string]string{}
	var strangers []string
	for _, e := range state {
		key := ""
		if e.StateKey != nil {
			key = *e.StateKey
		}
		switch e.Type {
		case "m.room.join_rules":
			said["join"], _ = e.Content["join_rule"].(string)
		case "m.room.history_visibility":
			said["history"], _ = e.Content["history_visibility"].(string)
		case "m.room.guest_access":
			said["guests"], _ = e.Content["guest_access"].(string)
		case "m.room.encryption":
			said["encryption"] = "on"
		case "lanekeeper.lane":
			said["kind"], _ = e.Content["kind"].(string)
		case "m.room.member":
			there := e.Membership() == "join" || e.Membership() == "invite"
			if there && !hs.Ours(key) && !slices.Contains(staff, key) {
				strangers = append(strangers, key)
			}
		}
	}
	if kind := said["kind"]; kind != "" && kind != "super_admin" {
		x.fail(f(here+" is a room of a project (%s).", kind), "Name a room of its own, or leave it empty.")
	}
	if join := said["join"]; join != "" && join != "invite" && join != "private" {
		x.fail(f(here+" can be entered without an invitation (join rule %q), and all words of handoffs go there.", join), "Set it to private in its settings.")
	}
	if said["history"] == "world_readable" {
		x.fail(here+" can be read by anybody (history world_readable).", "Set that to members only in its settings.")
	}
	if said["guests"] == "can_join" {
		x.fail(here+" lets guests in.", "Forbid that in its settings.")
	}
	if said["encryption"] != "" {
		x.fail(here+" is encrypted, and the bot cannot read there.", "Name another room, or leave it empty to have one made.")
	}
	if len(strangers) > 0 {
		slices.Sort(strangers)
		x.note(f(here+" has members who are not ops, admin or superadmin by their full Matrix id, and they read all words of handoffs: %s.", strings.Join(strangers, ", ")), "Remove them, or name them under permissions.")
	}
}
