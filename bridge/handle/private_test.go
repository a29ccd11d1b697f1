package handle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/command"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// hushed reports what is wrong with how a private question was refused: it has to
// leave the lane, and its sender alone reads why, with their words.
func (d *desk) hushed(all []effect.Effect, room, event, user, code, words string) (wrong []string) {
	d.t.Helper()
	gone, told := false, false
	for _, e := range all {
		switch {
		case e.Redact != nil && e.Redact.In.Room == room && string(e.Redact.Target) == event:
			gone = true
		case e.Message != nil && e.Message.To.Person == user && holds([]map[string]any{e.Message.Content}, code):
			told = strings.Contains(fmt.Sprint(e.Message.Content["body"]), words)
		case e.Message != nil:
			wrong = append(wrong, fmt.Sprintf("said to %+v: %v", e.Message.To, e.Message.Content["body"]))
		}
	}
	if m, err := d.s.Message(d.t.Context(), event); err != nil || m != nil && !m.Redacted {
		wrong = append(wrong, "it is context for others")
	}
	if !gone {
		wrong = append(wrong, "it stays in the lane")
	}
	if !told {
		wrong = append(wrong, "its sender does not read "+code+" with their words")
	}
	return wrong
}

// L1: who meant to ask in private is not overheard, whatever becomes of the question.
func TestPrivateQuestionsLeaveTheLane(t *testing.T) {
	each(t, func(d *desk) {
		question := d.asked(true)
		refused := func(what, room, user, code string, say func() string) {
			t.Helper()
			d.now = d.now.Add(time.Minute)
			event := say()
			if wrong := d.hushed(d.effects(), room, event, user, code, "CANARY"); len(wrong) > 0 {
				t.Errorf("L1 %s: %q", what, wrong)
			}
		}
		plain := func(user, words string) func() string {
			return func() string { return d.says("!customer", user, "!lane "+words) }
		}
		for _, words := range []string{"human -private CANARY", "human CANARY --private", "human ——private CANARY", "human --privat CANARY", "human --pirvate CANARY", "human —privately CANARY", "human -- private CANARY"} {
			refused(words, "!customer", carl, "bad_argument", plain(carl, words))
		}
		refused("no such command", "!customer", carl, "unknown_command", plain(carl, "humna --private CANARY"))
		refused("no such command, by staff", "!customer", mia, "unknown_command", plain(mia, "humna --private CANARY"))
		refused("in staff's lane", "!internal", xena, "bad_argument", func() string { return d.says("!internal", xena, "!lane human CANARY --private") })
		refused("without the prefix", "!customer", carl, "bad_argument", func() string { return d.inThread("!customer", carl, question, "human --private CANARY") })
		for _, as := range []string{"m.emote", "m.notice"} {
			refused(as, "!internal", xena, "bad_argument", func() string {
				return d.event("!internal", xena, "m.room.message", nil, map[string]any{"msgtype": as, "body": "!lane human --private CANARY"}, false)
			})
		}
		refused("late", "!customer", carl, "stale", func() string {
			return d.late("!customer", carl, "!lane human --private CANARY", command.TooOld+time.Minute)
		})

		d.h.Relay.Limits.Open = 1
		refused("no more", "!internal", mia, "conflict", func() string {
			d.says("!direct"+mia, mia, "human one")
			d.effects()
			return d.says("!internal", mia, "!lane human --private CANARY")
		})
		d.h.Policy.Roles["expert"] = []policy.Ability{policy.Request}
		refused("no right", "!internal", xena, "not_allowed", func() string { return d.says("!internal", xena, "!lane human --private CANARY") })

		d.h.Commands.PerMinute = 1
		refused("too many", "!customer", carl, "unavailable", func() string {
			d.says("!customer", carl, "!lane ping")
			d.effects()
			return d.says("!customer", carl, "!lane human --private CANARY")
		})
		event := d.says("!customer", carl, "!lane human --private CANARY")
		if all := d.effects(); len(all) != 1 || all[0].Redact == nil || string(all[0].Redact.Target) != event {
			t.Errorf("L1 one too many more: %+v", all)
		}
	})
}

// L1: an edit that asks in private takes the message along that it edits.
func TestEditedIntoPrivate(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		first := d.says("!internal", xena, "CANARY")
		edit := d.event("!internal", xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* x", "m.new_content": map[string]any{"msgtype": "m.text", "body": "!lane human --private CANARY"},
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": first}}, false)
		all := d.effects()
		for _, event := range []string{first, edit} {
			if wrong := d.hushed(all, "!internal", event, xena, "bad_argument", "CANARY"); len(wrong) > 0 {
				t.Errorf("L1: %q", wrong)
			}
		}
	})
}

// L1: neither does one stay that we fail on.
func TestBrokenPrivateQuestion(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		d.tx(func(ctx context.Context) error {
			return d.h.Parked(ctx, queue.Job{Payload: d.aged("$x", "!internal", xena, "!lane human --private CANARY", 0)})
		})
		if wrong := d.hushed(d.effects(), "!internal", "$x", xena, "internal", "CANARY"); len(wrong) > 0 {
			t.Errorf("L1: %q", wrong)
		}
	})
}

// late is a message that took a while to reach us.
func (d *desk) late(room, sender, body string, age time.Duration) string {
	d.t.Helper()
	d.count++
	id := fmt.Sprint("$", d.count)
	r := d.h.Do(d.t.Context(), queue.Job{Payload: d.aged(id, room, sender, body, age)})
	if r.Park != "" || r.Err != nil {
		d.t.Fatal(r.Park, r.Err)
	}
	d.tx(r.Commit)
	return id
}

func (d *desk) aged(id, room, sender, body string, age time.Duration) []byte {
	raw, _ := json.Marshal(map[string]any{"event_id": id, "type": "m.room.message", "sender": sender, "origin_server_ts": d.now.Add(-age).UnixMilli(), "content": map[string]any{"msgtype": "m.text", "body": body}})
	payload, _ := json.Marshal(store.Input{Kind: store.InputEvent, Room: room, Raw: raw})
	return payload
}
