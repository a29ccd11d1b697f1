package handle_test

import (
	"context"
	"strings"
	"testing"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/policy"
)

func (d *desk) removed(user string) {
	d.t.Helper()
	d.tx(func(ctx context.Context) error {
		_, err := d.h.Actions.Remove(ctx, action.Act{By: mia, Door: action.Command, At: d.now, Event: "$remove"}, "p1", user)
		return err
	})
}

// talks are the handoffs that are not closed.
func (d *desk) talks() []*handoff.Handoff {
	d.t.Helper()
	open, err := d.s.HandoffsAfter(d.t.Context(), 0, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return open
}

// words are what is said, and where: "direct of @x", "staff", or a room.
func words(effects []effect.Effect) (out []string) {
	for _, e := range effects {
		if e.Message == nil || e.Message.Edits != "" {
			continue
		}
		body, _ := e.Message.Content["body"].(string)
		to := e.Message.To
		switch {
		case to.SuperAdmin:
			body = "staff: " + body
		case to.Person != "":
			body = to.Person + ": " + body
		}
		out = append(out, body)
	}
	return out
}

// R5: who was taken out of a project commands nothing and reaches nobody, also where
// they still are: in their direct chat, in the thread of what they asked there, in a
// lane that they are about to leave.
func TestRemovedPerson(t *testing.T) {
	each(t, func(d *desk) {
		d.openedBy("!dm", xena)
		asked := d.says("!dm", xena, "human How do I start?")
		if n := len(d.talks()); n != 1 {
			t.Fatalf("%d handoffs", n)
		}
		d.effects()
		d.removed(xena)
		said := strings.Join(words(d.effects()), "\n")
		if n := len(d.talks()); n != 0 || !strings.Contains(said, "staff: ") || !strings.Contains(said, "This conversation has ended, because you're no longer in the project. What you write about it reaches nobody. (#1)") {
			t.Errorf("R5 removed: %d handoffs, %s", n, said)
		}
		d.says("!dm", xena, "!lane human again")
		d.says("!dm", xena, "version")
		d.event("!dm", xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "hello?", "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": asked}}, false)
		d.event("!dm", xena, "m.reaction", nil, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": asked, "key": "🙋"}}, false)
		d.event("!dm", xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* x", "m.new_content": map[string]any{"msgtype": "m.text", "body": "x"}, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": asked}}, false)
		d.says("!customer", xena, "!lane ping")
		d.says("!customer", xena, "!lane human now")
		if said := words(d.effects()); len(said) > 0 || len(d.talks()) != 0 {
			t.Errorf("R5 after it: %q", said)
		}
	})
}

// R5: what was asked in a project ends with that project, though the person is known
// by a platform role; what they ask as such a person goes on.
func TestRemovedFromOneProject(t *testing.T) {
	each(t, func(d *desk) {
		d.h.Policy.Permissions[xena] = policy.User
		d.openedBy("!dm", xena)
		d.says("!customer", xena, "!lane human --private May I know the margin?")
		d.says("!dm", xena, "!lane human What is a lane?")
		before := d.talks()
		if len(before) != 2 || before[0].Project != "p1" || before[1].Project != "" {
			t.Fatalf("%+v", before)
		}
		d.removed(xena)
		if open := d.talks(); len(open) != 1 || open[0].Project != "" {
			t.Errorf("R5 open after it: %+v", open)
		}
		d.effects()
		d.event("!dm", xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "hello?", "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": "$first"}}, false)
		d.tx(func(ctx context.Context) error {
			return d.s.SaveSent(ctx, handoff.Notice(before[0].Number), "!dm", "$first")
		})
		d.event("!dm", xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "hello?", "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": "$first"}}, false)
		if open := d.talks(); len(open) != 1 {
			t.Errorf("R5 opened again: %+v", open)
		}
	})
}

// R5: who loses the platform role with an open question reads once that it ended.
func TestLostPlatformRole(t *testing.T) {
	each(t, func(d *desk) {
		d.opened("!dm")
		d.says("!dm", carl, "human How do I start?")
		d.effects()
		d.h.Policy.Permissions = policy.Permissions{}
		for i := range 3 {
			d.says("!dm", carl, "!lane human again")
			said := words(d.effects())
			if ended := strings.Contains(strings.Join(said, "\n"), "This conversation has ended, because you're no longer in the project. What you write about it reaches nobody. (#1)"); ended != (i == 0) || i > 0 && len(said) > 0 {
				t.Errorf("R5 word %d: %q", i, said)
			}
		}
		if n := len(d.talks()); n != 0 {
			t.Errorf("%d handoffs", n)
		}
	})
}

// R5, R1: a reply, a 🙋 or an edit is no way back into a talk of a project that
// somebody was taken out of, and words that were said in one that stays in Matrix stay
// there in whatever comes of them.
func TestNoWayBackIntoATalk(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.h.Policy.Permissions[xena] = policy.User
		d.says("!internal", xena, "!lane human --private May I know the margin?")
		said := d.says("!direct"+xena, xena, "it is about Carl")
		d.removed(xena)
		d.effects()
		d.event("!direct"+xena, xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* x", "m.new_content": map[string]any{"msgtype": "m.text", "body": "CANARY"}, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": said}}, false)
		if e := d.effects(); len(e) > 0 {
			t.Errorf("an edit: %+v", e)
		}
		d.event("!direct"+xena, xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "!lane human How do I log in?", "m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": said}}}, false)
		d.event("!direct"+xena, xena, "m.reaction", nil, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": said, "key": "🙋"}}, false)
		open := d.talks()
		if len(open) != 2 || open[0].Number != 2 || !open[0].Leaves || open[0].Project != "" {
			t.Fatalf("a reply: %+v", open)
		}
		if open[1].Leaves || open[1].Project != "" {
			t.Errorf("🙋: %+v", open[1])
		}
	})
}
