package reconcile

import (
	"slices"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/text"
)

// foreignNotes says who reads in a super-admin room that an operator made: all words
// of handoffs stand there, and nobody is removed from it by us.
func foreignNotes(pol *policy.Policy, a *Actual) (notes []note) {
	add := func(key string, w text.Words) { notes = append(notes, note{"foreign: " + key, w}) }
	for _, user := range a.users() {
		is := a.member(user).is
		if (is == "join" || is == "invite") && !pol.IsOurs(user) && !slices.Contains(a.Creators(), user) && !pol.Can(user, policy.Handoff, nil) {
			add(user, text.ReadsAlong(user))
		}
	}
	for _, rule := range []struct{ typ, field, bad string }{
		{typeJoinRules, "join_rule", "public"},
		{typeHistory, "history_visibility", "world_readable"},
		{typeGuests, "guest_access", "can_join"},
	} {
		if a.text(rule.typ, rule.field) == rule.bad {
			add(rule.bad, text.OpenStaffRoom(rule.typ, rule.bad))
		}
	}
	if a.text(typeEncryption, "algorithm") != "" {
		add("encrypted", text.EncryptedStaffRoom())
	}
	return notes
}
