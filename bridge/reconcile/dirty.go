package reconcile

import (
	"strings"

	"lanekeeper/bridge/matrix"
)

// Dirty reports whether a state event in one of our rooms calls for a look. What
// we wrote ourselves does too: that we wrote it, and not somebody else with our
// token, cannot be seen, and a look that finds everything in order writes nothing.
// Direct chats are never looked at.
func Dirty(e *matrix.Event) bool {
	if e.StateKey == nil {
		return false
	}
	switch e.Type {
	case typeMember:
		return !profileChange(e)
	case typeLevels, typeJoinRules, typeGuests, typeHistory, typeName, typeTopic, typeAvatar, typeAlias, typeEncryption,
		typeTombstone, typeServerACL, typeChild, typeParent:
		return true
	}
	return strings.HasPrefix(e.Type, "lanekeeper.")
}

// profileChange recognises a name or avatar: somebody joined joins again.
func profileChange(e *matrix.Event) bool {
	was, _ := e.Unsigned.PrevContent["membership"].(string)
	return was == "join" && e.Membership() == "join"
}
