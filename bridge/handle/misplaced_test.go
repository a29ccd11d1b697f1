package handle_test

import (
	"context"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/queue"
)

// R21: a command of staff leaves the customer lane however it came in, and nothing is
// done about it; its sender gets it ready to paste. A customer's words stay, and are
// answered where they stand.
func TestCommandsInTheCustomerLane(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		hello := d.says("!customer", mia, "hello")
		carls := d.says("!customer", carl, "hello")
		d.effects()
		send := func(user, msgtype, body, target string) []effect.Effect {
			t.Helper()
			content := map[string]any{"msgtype": msgtype, "body": body}
			if target != "" {
				content = map[string]any{"msgtype": "m.text", "body": "* " + body, "m.new_content": content, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": target}}
			}
			d.event("!customer", user, "m.room.message", nil, content, false)
			return d.effects()
		}
		for _, c := range []struct{ msgtype, target string }{{"m.text", ""}, {"m.text", hello}, {"m.notice", ""}, {"m.emote", ""}, {"m.notice", hello}, {"m.text", carls}} {
			said := send(mia, c.msgtype, "!lane add  @eve:x agency", c.target)
			if len(said) != 2 || said[0].Redact == nil || said[1].Message == nil || said[1].Message.To.Person != mia {
				t.Fatalf("%+v: %+v", c, said)
			}
			body := said[1].Message.Content["body"].(string)
			r := said[1].Message.Content["lanekeeper.result"].(map[string]any)
			if !strings.HasSuffix(body, "\n!lane add @eve:x agency --project acme") || r["error"] != "wrong_room" || r["ok"] != false {
				t.Errorf("%+v is answered by %q %v", c, body, r)
			}
		}
		if m, err := d.s.Message(t.Context(), hello); err != nil || m.Body != "hello" {
			t.Errorf("the message says %q: %v", m.Body, err)
		}
		for _, c := range []struct{ msgtype, target, body string }{{"m.notice", "", "!lane frobnicate"}, {"m.text", carls, "!lane frobnicate"}, {"m.emote", "", "waves"}, {"m.text", carls, "hi"}} {
			if said := send(carl, c.msgtype, c.body, c.target); len(said) > 0 {
				t.Errorf("%+v: %+v", c, said)
			}
		}
		for _, body := range []string{"!lane humans please", "!lane add @eve:x agency"} {
			said := send(carl, "m.text", body, "")
			if len(said) != 1 || said[0].Message == nil || said[0].Message.To.Room != "!customer" || said[0].Message.Thread == "" {
				t.Fatalf("%s: %+v", body, said)
			}
			if s := said[0].Message.Content["body"].(string); !strings.Contains(s, "!lane human") || strings.Contains(s, "customer lane") {
				t.Errorf("%s is answered by %q", body, s)
			}
		}
		if p, err := d.s.Project(t.Context(), "p1"); err != nil || p.Person("@eve:x") != nil {
			t.Errorf("eve is in: %v", err)
		}
	})
}

// R15: formatted_body counts in the format that clients show, and in no other.
func TestHiddenHTML(t *testing.T) {
	each(t, func(d *desk) {
		id := d.event("!customer", mia, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "shown", "formatted_body": "<b>hidden</b>"}, false)
		m, err := d.s.Message(t.Context(), id)
		if err != nil || m.HTML != "" {
			t.Errorf("kept %q: %v", m.HTML, err)
		}
		d.event("!customer", mia, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* shown", "m.new_content": map[string]any{"msgtype": "m.text", "body": "shown", "formatted_body": "<b>hidden</b>", "format": "x"},
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": id}}, false)
		if m, err = d.s.Message(t.Context(), id); err != nil || m.HTML != "" {
			t.Errorf("kept %q: %v", m.HTML, err)
		}
	})
}

// R23: whose card stands in a direct chat reads the decision only while they decide.
func TestCardOfAFormerApprover(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		delete(d.h.Policy.Profiles["agency"].Lanes, "notes")
		d.h.Policy.Permissions["@root:x"] = "ops"
		d.says("!direct"+xena, xena, "request customer CANARY-WHY")
		if said := d.effects(); !toPerson(said, mia, "CANARY-WHY") {
			t.Fatalf("no card: %v", bodies(said))
		}
		d.tx(func(ctx context.Context) error {
			p, err := d.s.Project(ctx, "p1")
			if err == nil {
				p.Person(mia).Role = "customer"
				err = d.s.SaveProject(ctx, p)
			}
			if err == nil {
				err = d.s.AdoptDirect(ctx, "@root:x", "!directroot", "")
			}
			return err
		})
		d.says("!directroot", "@root:x", "deny "+xena+" CANARY-NO --project acme")
		said := d.effects()
		if toPerson(said, mia, "CANARY") || !toPerson(said, mia, "This request has been decided") {
			t.Errorf("mia reads %v", bodies(said))
		}
	})
}

func toPerson(said []effect.Effect, user, words string) bool {
	for _, e := range said {
		if e.Message != nil && e.Message.To.Person == user && strings.Contains(bodies([]effect.Effect{e})[0], words) {
			return true
		}
	}
	return false
}

// R21: neither does a command of staff stay in the customer lane that we fail on.
func TestBrokenCommandInTheCustomerLane(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.tx(func(ctx context.Context) error {
			return d.h.Parked(ctx, queue.Job{Payload: d.aged("$x", "!customer", mia, "!lane add @eve:x agency", 0)})
		})
		said := d.effects()
		if len(said) != 2 || said[0].Redact == nil || said[0].Redact.Target != "$x" || !toPerson(said, mia, "!lane add @eve:x agency --project acme") {
			t.Errorf("%+v", said)
		}
		if r := said[len(said)-1].Message.Content["lanekeeper.result"].(map[string]any); r["error"] != "internal" {
			t.Errorf("%v", r)
		}
	})
}
