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
