package handle_test

import (
	"context"
	"strings"
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

// U3: a length of time that is no flag would let somebody in for good.
func TestTimeThatIsNoFlag(t *testing.T) {
	each(t, func(d *desk) {
		d.openedBy("!dm", mia)
		for _, rest := range []string{"text -for 3d", "for 3d", "for 3d because of the logo", "because of the logo for 3d", "text for: 2w", "text ‑for 3d"} {
			if r, words := d.answer("!dm", mia, "approve "+xena+" customer "+rest); r["error"] != string(project.BadArgument) {
				t.Errorf("U3 %s: %v %s", rest, r, words)
			}
		}
		if r, _ := d.answer("!dm", mia, "approve nobody for 3d"); r["error"] != string(project.BadArgument) {
			t.Error(r)
		}
	})
}

// U8: who takes themselves out of a lane reads of it where they still are.
func TestLeavingByCommand(t *testing.T) {
	each(t, func(d *desk) {
		d.tx(func(ctx context.Context) error {
			room, err := d.s.PrepareRoom(ctx, "internal", "p1", "")
			if err != nil {
				return err
			}
			return d.s.MadeRoom(ctx, room.Alias, "!internal", "12")
		})
		d.says("!internal", mia, "!lane remove "+mia)
		p, err := d.s.Project(t.Context(), "p1")
		if err != nil || p.Person(mia) != nil {
			t.Fatalf("she is still in: %v", err)
		}
		d.tx(func(ctx context.Context) error {
			return d.s.ReleaseAnswers(ctx, "p1", 0, p.Revision, d.h.Policy.MayNameAll)
		})
		said := strings.Join(words(d.effects()), "\n")
		if !strings.Contains(said, mia+": ") || !strings.Contains(said, "has been removed from Acme") {
			t.Errorf("U8 said %s", said)
		}
	})
}
