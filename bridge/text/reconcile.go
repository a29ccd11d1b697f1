package text

import "strings"

// The steps of a plan, for staff: what has to be done in Matrix so that a room is
// what the record says. Each is an order that reads well after a dash.

// StepCreate is for a room that does not exist.
func StepCreate(room string) Words { return Say("create %s", room) }

// StepBack is for a room that the bot is not in.
func StepBack(room string) Words { return Say("get back into %s", room) }

// StepLook is for a room of which nothing is known yet.
func StepLook(room string) Words { return Say("look at %s: no event of it has come yet", room) }

// StepInvite is for somebody who belongs in a room.
func StepInvite(user, room string) Words { return Say("invite %s to %s", person(user), room) }

// StepKick is for somebody who does not belong in a room.
func StepKick(user, room string) Words { return Say("remove %s from %s", person(user), room) }

// StepUninvite is for an invitation of somebody who does not belong in a room.
func StepUninvite(user, room string) Words {
	return Say("take back the invitation of %s to %s", person(user), room)
}

// StepUnban is for somebody who belongs in a room and is banned from it.
func StepUnban(user, room string) Words { return Say("lift the ban of %s in %s", person(user), room) }

// StepGuest is for a ghost that is invited.
func StepGuest(name, room string) Words { return Say("let %s join %s", name, room) }

// StepLevels is for power levels; changes say what differs.
func StepLevels(room string, changes []Words) Words {
	w := Say("set the power levels of %s", room)
	for i, c := range changes {
		w = Say("%s%s%s", w, map[bool]string{true: ": ", false: ", "}[i == 0], c)
	}
	return w
}

// LevelOf is one changed power level: of a person, or of an event type or action.
func LevelOf(what, from, to string) Words {
	if strings.HasPrefix(what, "@") {
		return Say("%s %s → %s", person(what), from, to)
	}
	return Say("%s %s → %s", what, from, to)
}

// StepJoinRule is for a room that people can get into without an invitation.
func StepJoinRule(room string) Words { return Say("let people into %s by invitation only", room) }

// StepGuests is for a room that lets in people without an account.
func StepGuests(room string) Words { return Say("keep people without an account out of %s", room) }

// StepHistory is for who can read what was said before they came.
func StepHistory(room, visibility string) Words {
	return Say("set the history of %s to %s", room, visibility)
}

// StepName is for a room whose name does not say what it is.
func StepName(room, name string) Words { return Say("rename %q to %q", room, name) }

// StepAlias is for a public address that would reveal the project.
func StepAlias(room string) Words { return Say("take the public address off %s", room) }

// StepTombstone is for a room that somebody declared replaced.
func StepTombstone(room string) Words { return Say("take back that %s was replaced", room) }

// StepServers is for a room from which whole servers are shut out.
func StepServers(room string) Words { return Say("let every server into %s again", room) }

// StepAvatar is for a room whose picture isn't that of its kind.
func StepAvatar(room string) Words { return Say("set the picture of %s", room) }

// StepTopic is for a room whose topic does not say who reads it.
func StepTopic(room string) Words { return Say("set the topic of %s", room) }

// StepMark is for our own mark of what a room is.
func StepMark(room string) Words { return Say("mark %s for what it is", room) }

// StepUnmark is for a piece of state that a room should not have.
func StepUnmark(room, what string) Words { return Say("empty %s in %s", what, room) }

// StepLink is for a lane that is missing in its Space.
func StepLink(lane, space string) Words { return Say("link %s in %s", lane, space) }

// StepUnlink is for a room that is no lane of the Space's project.
func StepUnlink(room, space string) Words { return Say("unlink %s from %s", room, space) }

// CannotLower is for a person at the bot's own level, in a room version where
// nobody is above that.
func CannotLower(user, room string, leave bool) Words {
	then := "lower themselves"
	if leave {
		then = "leave by themselves"
	}
	return Say("nobody can take power from %s in %s: they were raised to my own level. They have to %s", person(user), room, then)
}

// CannotRaise is for a room where the bot lost its level.
func CannotRaise(room string) Words {
	return Say("I've lost my power level in %s. Somebody with level 100 there has to give it back, or an administrator of the homeserver", room)
}

// CannotDo is for a step that the levels do not let the bot take.
func CannotDo(step Words) Words {
	return Say("%s: my power level there is too low", step)
}

// CannotDecrypt is for a lane that was encrypted: that cannot be undone.
func CannotDecrypt(room string) Words {
	return Say("%s was encrypted. That can't be undone, and I can neither read nor guard what is written there. Export it with a client if you need it, and ask an administrator of the homeserver to switch forced encryption off", room)
}

// DriftForStaff tells staff what was changed by hand and put right again.
// by is who did it, empty if that is not known.
func DriftForStaff(by Words, done []Words) Words {
	head := Say("A room was changed by hand; I changed it back:")
	if by.Plain != "" {
		head = Say("%s changed a room by hand; I changed it back:", by)
	}
	return bullets(head, done,
		Say("For people and rights please use commands: %s.", Code("help")))
}

// StepsForSuperAdmins tells the super-admin room what Lanekeeper cannot put right.
func StepsForSuperAdmins(slug string, stuck []Words) Words {
	head := Say("I can't put these rooms right by myself:")
	if slug != "" {
		head = Say("I can't put these rooms of %s right by myself:", slug)
	}
	return bullets(head, stuck, Say("I say this once; %s shows what's left.", Code("plan")))
}

// RefusedStep is a step that the homeserver does not let the bot take, with its words.
func RefusedStep(step Words, why string) Words {
	return Say("%s (the homeserver refuses: %s)", step, why)
}

// UnansweredStep is a step to which no answer comes.
func UnansweredStep(step Words) Words {
	return Say("%s (no answer, though I tried several times; I'll try again every few minutes. If it's an invitation, that person's server may be away)", step)
}

// Fought is a step that somebody takes back each time.
func Fought(step Words) Words {
	return Say("%s (somebody changes it back each time; I'll redo it every few minutes, and say no more about it)", step)
}

// LostRole is about somebody whose role the configuration does not have any more.
func LostRole(user, role string) Words {
	return Say("%s has the role %s, which is no longer in the configuration, so they have no access. Put it back under roles, or give them another role.", person(user), role)
}

// StillSo is a step that the homeserver took without an effect.
func StillSo(step Words) Words { return Say("%s (done twice, without effect)", step) }

func bullets(head Words, lines []Words, foot Words) Words {
	parts := []Words{head}
	for _, l := range lines {
		parts = append(parts, Say("• %s", l))
	}
	return Join(append(parts, foot)...)
}

// person names somebody in a plan: by the whole MXID, which is what a command takes.
func person(user string) Pill { return Pill{ID: user, Name: user} }

// ReadsAlong is about somebody in an operator's super-admin room who has nothing to
// do with handoffs.
func ReadsAlong(user string) Words {
	return Say("%s is in this room and can read all questions, without a role that has handoff. The room is yours, so I remove nobody: please remove them, or give them a role under permissions.", person(user))
}

// OpenStaffRoom is about an operator's super-admin room that others can get into.
func OpenStaffRoom(typ, value string) Words {
	return Say("this room has %s %s: people nobody invited can read all questions. Please change it in the room's settings.", typ, value)
}

// EncryptedStaffRoom is about an operator's super-admin room that is encrypted.
func EncryptedStaffRoom() Words {
	return Say("this room is encrypted, so I can't read anything here. Please name an unencrypted one under rooms.super_admin.")
}
