package handle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// reads is the body and the HTML of the one answer that a command gets in a direct chat.
func (d *desk) reads(user, command string) (body, html string) {
	d.t.Helper()
	_, alone := d.answers("!direct"+user, user, command)
	if len(alone) == 0 {
		d.t.Fatalf("%s: %s is not answered", user, command)
	}
	last := alone[len(alone)-1]
	return fmt.Sprint(last["body"]), fmt.Sprint(last["formatted_body"])
}

// Who approved what, when and why is in why; who has access, and who has not joined
// yet, in who.
func TestWhyAndWhoSayAll(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.member("!customer", carl, "join")
		d.answers("!direct"+mia, mia, "approve @xena:x customer text --for 14d to ask about the logo")
		d.state("!customer", bot, "m.room.member", xena, map[string]any{"membership": "invite"})
		d.effects()
		why, _ := d.reads(mia, "why @xena:x")
		for _, words := range []string{"xena in Customer · Acme: can write.", "mia approved it on 2 March 2026: can write until 16 March 2026, 09:00 UTC:\n> to ask about the logo"} {
			if !strings.Contains(why, words) {
				t.Errorf("why says nothing of %q: %s", words, why)
			}
		}
		if strings.Count(why, "to ask about the logo") != 1 {
			t.Errorf("why says it twice: %s", why)
		}
		who, html := d.reads(mia, "who")
		for _, words := range []string{"xena – expert: Customer (can write), invited, not joined yet; Internal (can write and send files), not there yet\n", "carl – customer: Customer (can write and send files)"} {
			if !strings.Contains(who+"\n", words) {
				t.Errorf("who says nothing of %q: %s", words, who)
			}
		}
		if !strings.Contains(html, "<strong>xena</strong> <sub>@xena:x</sub>") || strings.Contains(html, "#/@xena:x") {
			t.Errorf("who is not there stands as a pill, which shows a raw id: %s", html)
		}
		if here, _ := d.answers("!customer", carl, "!lane who"); !strings.Contains(fmt.Sprint(here), "#/@carl:x") || strings.Contains(fmt.Sprint(here), "Internal") {
			t.Errorf("carl reads %v", here)
		}
	})
}

// A new project says where it is and who was invited; a project that is archived says so.
func TestProjectsSayWhereAndWho(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.h.Policy.Permissions[mia] = policy.Staff
		d.answers("!direct"+mia, mia, "project archive acme")
		if list, _ := d.reads(mia, "project list"); !strings.Contains(list, "acme – Acme (archived)") {
			t.Errorf("list: %s", list)
		}
		d.says("!direct"+mia, mia, `project create beta "Beta" --customer @carl:x --account_manager @anna:x`)
		p, err := d.s.ProjectBySlug(t.Context(), "beta")
		if err != nil || p == nil {
			t.Fatal(p, err)
		}
		d.tx(func(ctx context.Context) error {
			room, err := d.s.PrepareRoom(ctx, "customer", p.ID, "")
			if err != nil {
				return err
			}
			if err := d.s.MadeRoom(ctx, room.Alias, "!beta", "12"); err != nil {
				return err
			}
			return d.s.ReleaseAnswers(ctx, p.ID, -1, 1<<60, d.h.Policy.MayNameAll)
		})
		said := fmt.Sprint(bodies(d.effects()))
		if !strings.Contains(said, "Beta is ready. Invited: carl (customer), anna (account manager).\nRooms: Customer") {
			t.Errorf("create: %s", said)
		}
	})
}

// help names nothing that is refused where it is asked, and explains one command.
func TestHelpByPlace(t *testing.T) {
	each(t, func(d *desk) {
		d.asked(false)
		here, _ := d.answers("!staff", root, "help")
		if s := fmt.Sprint(here); strings.Contains(s, "human") || strings.Contains(s, "request [LANE]") || !strings.Contains(s, "<strong>Questions</strong>") {
			t.Errorf("in the super-admin room: %s", s)
		}
		if one, _ := d.reads(mia, "help approve"); !strings.Contains(one, "without --for it has no end") || !strings.Contains(one, "Example: approve @xena") {
			t.Errorf("help approve: %s", one)
		}
		if here, _ := d.answers("!internal", mia, "!lane help"); strings.Contains(fmt.Sprint(here), "project create") || !strings.Contains(fmt.Sprint(here), "!lane approve") {
			t.Errorf("in a lane: %v", here)
		}
	})
}

// What was never approved cannot be revoked, which is said so.
func TestRevokeSaysWhatIsLeft(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		if said, _ := d.reads(mia, "revoke @carl:x"); said != "Nothing to revoke: carl has that access by the role customer." {
			t.Errorf("never approved: %s", said)
		}
		d.answers("!direct"+mia, mia, "approve @xena:x")
		if said, _ := d.reads(mia, "revoke @xena:x"); said != "xena can no longer read Customer · Acme." {
			t.Errorf("approved: %s", said)
		}
		if p, err := d.s.Project(t.Context(), "p1"); err != nil || p.Grant(xena, project.Customer) != nil {
			t.Errorf("the grant is there still: %v", err)
		}
	})
}
