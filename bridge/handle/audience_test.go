package handle_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
)

// lanes makes the other lanes of the desk's project, and people in them.
func (d *desk) lanes() {
	d.t.Helper()
	d.tx(func(ctx context.Context) error {
		for _, kind := range []string{"internal", "notes"} {
			room, err := d.s.PrepareRoom(ctx, kind, "p1", "")
			if err != nil {
				return err
			}
			if err := d.s.MadeRoom(ctx, room.Alias, "!"+kind, "12"); err != nil {
				return err
			}
		}
		for _, user := range []string{carl, mia, xena} {
			if err := d.s.AdoptDirect(ctx, user, "!direct"+user, ""); err != nil {
				return err
			}
		}
		p, err := d.s.Project(ctx, "p1")
		if err != nil {
			return err
		}
		p.People = append(p.People, project.Person{User: carl, Role: "customer", Since: d.now}, project.Person{User: "@anna:x", Role: "agency", Since: d.now})
		return d.s.SaveProject(ctx, p)
	})
	d.effects()
}

// answers runs a command and gives what the bot says to a place once Matrix shows it.
func (d *desk) answers(room, sender, command string) (here, alone []map[string]any) {
	d.t.Helper()
	d.says(room, sender, command)
	said := d.effects()
	d.tx(func(ctx context.Context) error {
		return d.s.ReleaseAnswers(ctx, "p1", -1, 1<<60, d.h.Policy.MayNameAll)
	})
	for _, e := range append(said, d.effects()...) {
		switch {
		case e.Message == nil:
		case e.Message.To == effect.Place{Room: room}:
			here = append(here, e.Message.Content)
		case e.Message.To == effect.Place{Person: sender}:
			alone = append(alone, e.Message.Content)
		}
	}
	return here, alone
}

func holds(contents []map[string]any, words ...string) bool {
	b, _ := json.Marshal(contents)
	for _, w := range words {
		if strings.Contains(strings.ToLower(string(b)), w) {
			return true
		}
	}
	return false
}

// R2, R11: in the internal lane no answer names the notes lane, whoever is there at
// the moment: somebody can be let in before it is said. The sender reads the rest.
func TestAnswersByProfile(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.tx(func(ctx context.Context) error { // nobody in it who is not in the notes lane, too
			p, err := d.s.Project(ctx, "p1")
			if err == nil {
				p.People = p.People[:0]
				p.People = append(p.People, project.Person{User: mia, Role: "manager", Since: d.now}, project.Person{User: "@anna:x", Role: "agency", Since: d.now})
				err = d.s.SaveProject(ctx, p)
			}
			return err
		})
		for _, c := range []struct {
			command string
			rest    string
		}{
			{"add @olga:x manager", "notes · acme"},
			{"add @root:x agency", "notes · acme"},
			{"revoke @anna:x notes", ""}, {"approve @anna:x notes", ""}, {"approve @anna:x notes text --for 3d", ""},
			{"why @anna:x notes", "notes · acme"}, {"why @anna:x", "the role agency"}, {"why @nobody:x notes", ""}, {"request notes", ""},
			{"project show", "notes"}, {"who", ""}, {"accept @xena:x", ""}, {"remove @root:x", ""}, {"requests", ""}, {"project list", ""},
		} {
			here, alone := d.answers("!internal", mia, "!lane "+c.command)
			if len(here) != 1 || holds(here, "notes") {
				t.Errorf("%s is answered in the internal lane by %v", c.command, here)
			}
			if c.rest == "" {
				continue
			}
			if !holds(here, "📨") || !holds(alone, c.rest) {
				t.Errorf("%s: the rest is not told: %v, %v", c.command, here, alone)
			}
		}
		if here, _ := d.answers("!internal", mia, "!lane why @anna:x notes"); !holds(here, "i've answered in") {
			t.Errorf("nothing is told here, but there is a rest of it: %v", here)
		}
		if here, _ := d.answers("!internal", mia, "!lane requets"); !holds(here, "i don't know “requets”") {
			t.Errorf("a typo is not named: %v", here)
		}
	})
}

// R2: an answer in a direct chat goes to the person, whatever becomes of the room.
func TestDirectAnswersGoToThePerson(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		for _, command := range []string{"add @olga:x manager", "who", "nonsense"} {
			here, alone := d.answers("!direct"+mia, mia, command)
			if len(here) > 0 || len(alone) != 1 {
				t.Errorf("%s: the room gets %v, the person %v", command, here, alone)
			}
		}
	})
}

// R2: what waits is asked anew when it is said: the profile may have changed.
func TestWaitingAnswerIsAskedAnew(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.says("!notes", mia, "!lane add @olga:x manager")
		d.effects()
		d.h.Policy.Profiles["agency"].Lanes["notes"].Access["expert"] = "text"
		delete(d.h.Policy.Profiles["agency"].Lanes["customer"].Grantable, "expert")
		d.tx(func(ctx context.Context) error {
			return d.s.ReleaseAnswers(ctx, "p1", -1, 1<<60, d.h.Policy.MayNameAll)
		})
		var room, person []string
		for _, e := range d.effects() {
			if e.Message != nil && e.Message.To.Room != "" {
				room = append(room, bodies([]effect.Effect{e})...)
			} else if e.Message != nil && e.Message.To.Person == mia {
				person = append(person, bodies([]effect.Effect{e})...)
			}
		}
		if len(room) != 1 || strings.Contains(room[0], "Customer") || len(person) != 1 || !strings.Contains(person[0], "Customer · Acme") {
			t.Errorf("the room reads %q, the sender %q", room, person)
		}
	})
}

// R3: why tells about others what who would name, and nothing else: not that they
// are in the project, nor their role, nor that there is such a person.
func TestWhyAboutOthers(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		ask := func(sender, about string) (body, result string) {
			t.Helper()
			_, alone := d.answers("!direct"+sender, sender, "why "+about)
			if len(alone) != 1 {
				t.Fatalf("why %s: %v", about, alone)
			}
			r, _ := json.Marshal(alone[0]["lanekeeper.result"])
			return alone[0]["body"].(string), string(r)
		}
		for _, c := range [][3]string{
			{carl, "@xena:x", "@stranger:x"}, {carl, "@xena:x internal", "@stranger:x internal"}, {carl, "@mia:x notes", "@stranger:x notes"},
			{xena, "@carl:x internal", "@stranger:x internal"}, {xena, "@carl:x", "@stranger:x"}, {xena, "@mia:x notes", "@stranger:x notes"},
		} {
			body, result := ask(c[0], c[1])
			other, same := ask(c[0], c[2])
			if body != other || result != same {
				t.Errorf("%s reads of %s: %s %s, of a stranger: %s %s", c[0], c[1], body, result, other, same)
			}
		}
		for _, c := range [][3]string{
			{carl, "@mia:x", "role here is manager"}, {carl, "@carl:x", "by default"}, {xena, "@xena:x", "up to full; nobody has"},
			{mia, "@xena:x", "up to full; nobody has"}, {mia, "@stranger:x", "not in this project"}, {xena, "@mia:x internal", "role here is manager"},
		} {
			if body, _ := ask(c[0], c[1]); !strings.Contains(body, c[2]) {
				t.Errorf("why %s to %s: %s", c[1], c[0], body)
			}
		}
		if body, _ := ask(carl, "@mia:x"); strings.Contains(body, "by default") {
			t.Errorf("carl reads reasons about mia: %s", body)
		}
	})
}
