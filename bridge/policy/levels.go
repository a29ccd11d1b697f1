package policy

import (
	"strconv"

	"lanekeeper/bridge/project"
)

// Power levels of the ladder. People never reach botLevel, so whatever needs it
// is the bot's alone.
const (
	readLevel      = 0
	textLevel      = 10
	fullLevel      = 20
	managerLevel   = 50
	opsLevel       = 75
	botLevel       = 100
	tombstoneLevel = 150 // room version 12 and later, as homeservers set it there
)

var ladder = map[project.Access]int{
	project.None: readLevel, project.Read: readLevel, project.Text: textLevel,
	project.Full: fullLevel, project.Manager: managerLevel, project.Ops: opsLevel,
}

// Level is the power level of a rung.
func Level(a project.Access) int { return ladder[a] }

// Event types that a lane's rungs may send. Messages of any other type need full
// by events_default, and state of any other type needs the bot by state_default.
//
// A level of a type counts for the type as a message and as state alike
// (https://spec.matrix.org/v1.15/rooms/v12/#authorization-rules, rule 9), so who
// has text can also store state of the three text types. That cannot be forbidden
// by levels; the gate refuses it. For the same reason message types of full
// (stickers, polls, m.call.*) are not listed: unlisted, they cannot be state.
var laneTypes = map[string]int{
	"m.room.message":   textLevel,
	"m.reaction":       textLevel,
	"m.room.redaction": textLevel, // one's own; others' needs `redact`

	// State that clients write for what full may do: pins, live location, calls.
	"m.room.pinned_events":           fullLevel,
	"m.beacon_info":                  fullLevel,
	"org.matrix.msc3672.beacon_info": fullLevel,
	"m.call.member":                  fullLevel,
	"org.matrix.msc3401.call.member": fullLevel,
	"m.rtc.member":                   fullLevel,
	"org.matrix.msc4143.rtc.member":  fullLevel,

	"m.room.name": managerLevel,
}

// botTypes are the bot's in every room of ours. Most would be so by
// state_default; listed, they stay so if a client or a person changes that.
var botTypes = []string{
	"m.room.power_levels", "m.room.join_rules", "m.room.history_visibility",
	"m.room.guest_access", "m.room.server_acl", "m.room.canonical_alias",
	"m.room.topic", "m.room.avatar", "m.space.child", "m.space.parent",
	"m.widget", "im.vector.modular.widgets", "lanekeeper.lane", "lanekeeper.project",
	// What the bot cannot read it cannot keep to any rule.
	"m.room.encryption", "m.room.encrypted",
}

// Levels is the complete content of m.room.power_levels for a lane or the Space.
// Only people in listed appear in it (those joined, invited, or about to be), and
// of them only who is above level 0: the map can be read by everybody in the room.
// Numbers are of type int. Room versions 1 to 11 are alike; from 12 on the bot as
// the room's creator is above all levels and must not be in the map.
//
// A room must have the right notifications from its creation on: Dendrite 0.15
// does not let a creator change them in room version 12 (it takes the creator for
// somebody at level 0 there), everything else it does.
func (p *Policy) Levels(pr *project.Project, kind project.Kind, roomVersion, bot string, listed map[string]project.Access) map[string]any {
	if kind == project.Space { // nobody writes there
		return levels{messages: botLevel, redact: botLevel, mention: botLevel}.content(roomVersion, bot)
	}
	lane := levels{messages: fullLevel, redact: managerLevel, mention: textLevel, types: laneTypes, users: listed}
	return lane.content(roomVersion, bot)
}

// SuperAdminLevels is the same for the super-admin room: members write, only the
// bot invites and changes the room.
func SuperAdminLevels(roomVersion, bot string) map[string]any {
	return levels{messages: readLevel, redact: botLevel, mention: readLevel}.content(roomVersion, bot)
}

// DirectLevels is the same for direct chats that the bot makes: the person sends
// what they like, and brings nobody else in.
func DirectLevels(roomVersion, bot string) map[string]any {
	return SuperAdminLevels(roomVersion, bot)
}

// levels is what differs between our rooms.
type levels struct {
	messages int // of any type that is not listed
	redact   int // other people's messages
	mention  int // the whole room
	types    map[string]int
	users    map[string]project.Access
}

func (l levels) content(roomVersion, bot string) map[string]any {
	events, users := map[string]any{"m.room.tombstone": botLevel}, map[string]any{}
	for _, t := range botTypes {
		events[t] = botLevel
	}
	for t, level := range l.types {
		events[t] = level
	}
	for user, access := range l.users {
		if level := Level(access); level > 0 {
			users[user] = level
		}
	}
	if CreatorIsAbove(roomVersion) {
		delete(users, bot)
		events["m.room.tombstone"] = tombstoneLevel
	} else {
		users[bot] = botLevel
	}
	return map[string]any{
		"users": users, "users_default": readLevel,
		"events": events, "events_default": l.messages, "state_default": botLevel,
		"invite": botLevel, "kick": botLevel, "ban": botLevel, "redact": l.redact,
		"notifications": map[string]any{"room": l.mention},
		"historical":    botLevel, // Synapse adds it at creation; without it every room would differ
	}
}

// CreatorIsAbove reports whether a room's creator is above all power levels and
// must not be listed in them: room version 12 and later
// (https://spec.matrix.org/v1.16/rooms/v12/).
func CreatorIsAbove(roomVersion string) bool {
	n, err := strconv.Atoi(roomVersion)
	return err == nil && n >= 12
}
