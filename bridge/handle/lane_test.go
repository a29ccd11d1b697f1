package handle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
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

// LANE-06: an archived project is said once in each lane, by whom where they are one of
// those there; who of the platform did it is not named.
func TestArchiveInLanes(t *testing.T) {
	for user, want := range map[string]string{mia: "mia has archived Acme", root: "The platform team has archived Acme"} {
		t.Run(user, func(t *testing.T) {
			each(t, func(d *desk) {
				d.lane("internal")
				d.lane("notes")
				d.h.Policy.Permissions[root] = policy.SuperAdmin
				d.openedBy("!dm", user)
				d.effects()
				d.says("!dm", user, "project archive acme")
				told := map[string]int{}
				for _, e := range append(d.effects(), d.shown()...) {
					m := e.Message
					if m == nil || m.To.Lane == "" {
						continue
					}
					body, _ := m.Content["body"].(string)
					if m.Content["msgtype"] != "m.notice" || !strings.HasPrefix(body, want) || !strings.Contains(body, "direct chat") {
						t.Errorf("%s: %v", m.To.Lane, m.Content)
					}
					if said := fmt.Sprint(m.Content); user == root && strings.Contains(said, "root") {
						t.Errorf("%s: %s", m.To.Lane, said)
					}
					told[m.To.Lane]++
				}
				if len(told) != 3 || told["customer"] != 1 || told["internal"] != 1 || told["notes"] != 1 {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}

// Where somebody asked for access they read once that it is decided: by a reply in the
// lane, by what answered them in the direct chat, where the decision stands.
func TestDecidedWhereAsked(t *testing.T) {
	for room, says := range map[string]string{"!internal": "!lane request", "!dm": "request --project acme"} {
		t.Run(room, func(t *testing.T) {
			each(t, func(d *desk) {
				d.lane("internal")
				d.lane("notes")
				d.openedBy("!dm", xena)
				d.effects()
				cmd := d.says(room, xena, says)
				d.effects()
				d.tx(func(ctx context.Context) error { return d.s.SaveSent(ctx, "request:1", "!notes", "$card") })
				d.reacts("!notes", mia, "$card", "❌")
				edits, replies := 0, 0
				for _, e := range append(d.effects(), d.shown()...) {
					m := e.Message
					if m == nil {
						continue
					}
					body, _ := m.Content["body"].(string)
					switch {
					case m.Edits == effect.To("answer:"+cmd):
						edits++
						r, _ := m.Content["lanekeeper.result"].(map[string]any)
						if r["ok"] != true || !strings.Contains(body, "declined") || strings.Contains(body, "direct chat") || strings.Contains(body, "mia") {
							t.Errorf("edit: %v", m.Content)
						}
					case m.Thread == effect.Ref(cmd):
						replies++
						if !strings.Contains(body, "Declined") || strings.Contains(body, "mia") {
							t.Errorf("reply: %v", m.Content)
						}
					}
				}
				if direct := room == "!dm"; (edits == 1) != direct || (replies == 1) == direct || edits+replies != 1 {
					t.Errorf("%d edits, %d replies", edits, replies)
				}
			})
		})
	}
}

// Every project stands on one page of the list, however long names are, and each page is
// one whole answer.
func TestProjectsInPages(t *testing.T) {
	each(t, func(d *desk) {
		const n = 60
		d.h.Policy.Permissions[root] = policy.SuperAdmin
		d.openedBy("!dm", root)
		d.tx(func(ctx context.Context) error {
			for i := range n {
				slug := fmt.Sprintf("p%02d-%s", i, strings.Repeat("x", 40))
				if err := d.s.SaveProject(ctx, &project.Project{ID: slug, Slug: slug, Name: strings.Repeat("&<ä\"", 60), Profile: "agency", Status: project.Active, Created: d.now}); err != nil {
					return err
				}
			}
			return nil
		})
		d.effects()
		seen := map[string]int{}
		for ask, pages := "project list", 0; ask != "" && pages < n; pages++ {
			d.says("!dm", root, ask)
			ask = ""
			for _, e := range d.effects() {
				if e.Message == nil {
					continue
				}
				r, _ := e.Message.Content["lanekeeper.result"].(map[string]any)
				body, _ := e.Message.Content["body"].(string)
				rows, _ := r["projects"].([]any)
				for _, row := range rows {
					slug, _ := row.(map[string]any)["slug"].(string)
					seen[slug]++
					if !strings.Contains(body, slug) {
						t.Errorf("%s is not in the words", slug)
					}
				}
				if next, _ := r["next"].(string); next != "" {
					ask = "project list --after " + next
				}
				if html, _ := e.Message.Content["formatted_body"].(string); r["truncated"] != nil || len(rows) > 0 && html == "" {
					t.Errorf("a page of %d is cut", len(rows))
				}
			}
		}
		if len(seen) != n+1 {
			t.Errorf("%d projects", len(seen))
		}
		for slug, times := range seen {
			if times != 1 {
				t.Errorf("%s is on %d pages", slug, times)
			}
		}
	})
}
