package handle_test

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// Who is named as new is looked up once: an answer has their name, and somebody whom the
// homeserver does not know is not let in. Trouble with the homeserver holds up nothing.
func TestLookUp(t *testing.T) {
	each(t, func(d *desk) {
		var asked []string
		var trouble error
		d.h.Look = func(_ context.Context, user string) (string, bool, error) {
			asked = append(asked, user)
			if trouble != nil {
				return "", false, trouble
			}
			return map[string]string{"@paul:x": "Paul Weber"}[user], user == "@nobodyatall:x", nil
		}
		d.openedBy("!mia", mia)
		d.openedBy("!xena", xena)
		d.effects()
		in := func(user string) bool {
			role, err := d.s.Role(t.Context(), "p1", user)
			if err != nil {
				t.Fatal(err)
			}
			return role != ""
		}
		for range 2 { // who makes the account in between is found
			d.says("!mia", mia, "add @nobodyatall:x expert acme")
			if said := strings.Join(bodies(d.effects()), "|"); !strings.Contains(said, "@nobodyatall:x doesn't exist on this server. Check the spelling.") || in("@nobodyatall:x") {
				t.Errorf("somebody who is not there: %q", said)
			}
		}
		if len(asked) != 2 {
			t.Errorf("asked %v", asked)
		}
		asked = nil
		d.says("!mia", mia, "add @paul:x expert acme")
		if name := d.s.Name(t.Context(), "@paul:x"); name != "Paul Weber" || !in("@paul:x") {
			t.Errorf("they are called %q", name)
		}
		d.says("!mia", mia, "add @paul:x expert acme")
		d.says("!mia", mia, "add @far:else.org expert acme")
		d.says("!mia", mia, "add "+xena+" expert acme")      // is seen in a room
		d.says("!mia", mia, "remove @zoe:x acme")            // not as new
		d.says("!xena", xena, "add @zoe:x expert acme")      // may not
		d.says("!mia", mia, "What about @zoe:x as expert?")  // no command
		d.says("!customer", mia, "add @zoe:x expert please") // nor this
		if strings.Join(asked, " ") != "@paul:x" {
			t.Errorf("asked %v", asked)
		}
		// Without an answer nothing is known, not even what was said before.
		trouble = errors.New("no answer")
		if d.says("!mia", mia, "add @nobodyatall:x expert acme"); !in("@nobodyatall:x") {
			t.Error("trouble keeps somebody out")
		}
	})
}
