package handle_test

import (
	"context"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
)

// 🙋 on somebody else's message is answered in the direct chat, once a day.
func TestHandOfAnother(t *testing.T) {
	each(t, func(d *desk) {
		q := d.says("!customer", mia, "Look at that")
		d.effects()
		for i := range 3 {
			d.reacts("!customer", xena, q, "🙋🏽")
			all := d.effects()
			if len(all) != 1-min(i, 1) || i == 0 && (all[0].Message.To.Person != xena || !strings.Contains(words(all)[0], "own messages")) {
				t.Errorf("%d: %q", i, words(all))
			}
		}
	})
}

// LANE-06: an archived project is said once in each lane; who of the platform did it is
// not named there.
func TestArchiveInLanes(t *testing.T) {
	each(t, func(d *desk) {
		d.lane("internal")
		d.lane("notes")
		d.says("!notes", mia, "!lane project archive acme")
		told := map[string]int{}
		for _, e := range append(d.effects(), d.shown()...) {
			m := e.Message
			if m == nil || m.To.Lane == "" {
				continue
			}
			body, _ := m.Content["body"].(string)
			if m.Content["msgtype"] != "m.notice" || !strings.Contains(body, "has archived Acme") || !strings.Contains(body, "direct chat") {
				t.Errorf("%s: %v", m.To.Lane, m.Content)
			}
			told[m.To.Lane]++
		}
		if len(told) != 3 || told["customer"] != 1 || told["internal"] != 1 || told["notes"] != 1 {
			t.Errorf("told %v", told)
		}
	})
}

// Wherever somebody asked for access, the first notice says what was decided.
func TestFirstNoticeIsEdited(t *testing.T) {
	each(t, func(d *desk) {
		d.lane("internal")
		d.lane("notes")
		cmd := d.says("!internal", xena, "!lane request")
		d.effects()
		d.tx(func(ctx context.Context) error { return d.s.SaveSent(ctx, "request:1", "!notes", "$card") })
		d.reacts("!notes", mia, "$card", "❌")
		edits := 0
		for _, e := range append(d.effects(), d.shown()...) {
			m := e.Message
			if m == nil || m.Edits != effect.To("answer:"+cmd) {
				continue
			}
			edits++
			r, _ := m.Content["lanekeeper.result"].(map[string]any)
			if body, _ := m.Content["body"].(string); r["ok"] != true || !strings.Contains(body, "eclined") || strings.Contains(body, "mia") {
				t.Errorf("edit: %v", m.Content)
			}
		}
		if edits != 1 {
			t.Errorf("%d edits", edits)
		}
	})
}
