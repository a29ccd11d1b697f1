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
