package command

import (
	"slices"
	"strings"

	"lanekeeper/bridge/matrix"
)

// maxNew is how many people of one command are looked up.
const maxNew = 10

// New lists the people of our homeserver whom a message names as new in a project, by
// add, accept or project create, with the prefix or without: somebody may have mistyped
// them.
func (c *Commands) New(ev *matrix.Event) (users []string, prefixed bool) {
	if ev.Type != "m.room.message" || ev.MsgType() != "m.text" || ev.Replaces() != "" {
		return nil, false
	}
	words, prefixed := c.cut(typed(ev.Content))
	k := &call{Commands: c, line: line{rest: words}}
	cmd := k.find()
	if cmd == nil || !slices.Contains([]string{"add", "accept", "project create"}, cmd.name) {
		return nil, prefixed
	}
	for len(users) < maxNew {
		word, ok := k.next()
		if !ok {
			break
		}
		if _, value, flag := strings.Cut(word, "="); flag && strings.HasPrefix(word, "--") {
			word = value
		}
		if user, ok := userOf(word); ok && strings.HasSuffix(user, ":"+c.Store.Domain) && !k.Policy.IsOurs(user) && !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	return users, prefixed
}
