package text

import (
	"strings"

	"lanekeeper/bridge/project"
)

// LaneWord is the word that a room's name begins with: what the room is.
func LaneWord(kind project.Kind) string {
	if kind == project.Space {
		return "Project"
	}
	k := string(kind)
	return strings.ToUpper(k[:1]) + k[1:]
}

// LaneTitle is the name of a project's room, "Customer · Acme website".
func LaneTitle(kind project.Kind, name string) string {
	return LaneWord(kind) + " · " + name
}

// ArchivedInLane says in a lane that its project was archived: what still works, and
// where to ask.
func ArchivedInLane(by Words, name string) Words {
	return Say("%s has archived %s. You can still read everything here; only the project's managers can write. If you need something, write to me in a direct chat: %s and your question.", by, name, Code("human"))
}

// TeamInLane stands for somebody of the platform whom those in a lane do not know.
func TeamInLane() Words { return Say("The platform team") }

// RestoredInLane says in a lane that its project is active again.
func RestoredInLane(by Words, name string) Words {
	return Say("%s has made %s active again: you can write here as before.", by, name)
}

// EverybodyForLane alerts everybody in a lane, for somebody who wrote @channel.
func EverybodyForLane(name string) Words {
	return Say("@room %s calls everybody here.", name)
}

// TooManyCallsForSender says that somebody alerted everybody too often; alerted: they
// were alerted all the same, as Matrix itself does that.
func TooManyCallsForSender(limit int, alerted bool) Words {
	if alerted {
		return Say("That alerted everybody here, more than %d times in a day. Please mention only those whom you need, by @ and their name.", limit)
	}
	return Say("Nobody was alerted: that's more than %d times in a day. Please mention those whom you need, by @ and their name.", limit)
}

// TooManyCallsForStaff tells staff of it.
func TooManyCallsForStaff(who Pill, lane string, limit int) Words {
	return Say("%s has alerted everybody more than %d times in a day, the last time in %s.", Named(who), limit, lane)
}
