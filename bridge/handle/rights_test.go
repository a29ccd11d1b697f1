package handle_test

import (
	"testing"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// answer is the lanekeeper.result of the one notice that a command got.
func (d *desk) answer(room, user, body string) (fields map[string]any, words string) {
	d.t.Helper()
	d.says(room, user, body)
	for _, e := range d.effects() {
		if e.Message == nil {
			continue
		}
		if r, ok := e.Message.Content["lanekeeper.result"].(map[string]any); ok {
			words, _ := e.Message.Content["body"].(string)
			return r, words
		}
	}
	return nil, ""
}

// R18: who has not the right reads that, whatever the rest of the line is like.
func TestRightsBeforeArguments(t *testing.T) {
	each(t, func(d *desk) {
		d.openedBy("!dm", xena)
		for _, c := range []string{"add", "add @x", "add @new:x emperor", "add @new:x expert --frobnicate 1", "approve", "approve nobody", "approve @new:x --for never", "deny", "revoke nobody", "remove", "accept", "project archive a b c", "plan --x"} {
			if r, words := d.answer("!dm", xena, c); r["error"] != string(project.NotAllowed) {
				t.Errorf("R18 %s: %v %s", c, r, words)
			}
		}
		d.openedBy("!dm2", mia)
		if r, _ := d.answer("!dm2", mia, "add"); r["error"] != string(project.BadArgument) {
			t.Errorf("who may: %v", r)
		}
	})
}

// R5: in a direct chat a person asks by a platform role, or by a role in some project
// that may.
func TestHumanNeedsARight(t *testing.T) {
	each(t, func(d *desk) {
		d.h.Policy.Roles["expert"] = []policy.Ability{policy.Request}
		d.openedBy("!dm", xena)
		if r, _ := d.answer("!dm", xena, "human hello"); r["error"] != string(project.NotAllowed) || len(d.talks()) > 0 {
			t.Errorf("R5 %v, %d handoffs", r, len(d.talks()))
		}
		d.h.Policy.Permissions[xena] = policy.User
		if r, _ := d.answer("!dm", xena, "human hello"); r["error"] != nil || len(d.talks()) != 1 {
			t.Errorf("%v, %d handoffs", r, len(d.talks()))
		}
	})
}
