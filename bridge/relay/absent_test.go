package relay_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/project"
)

// W6, U9, U10: an answer whose asker does not get it, or cannot reply to it, says so
// in the thread, and to the agent. W3: the owner is called as the configuration has it.
func TestAnswersToNobody(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *project.Project)
		phone  string
		staff  string
	}{
		"removed": {func(p *project.Project) {
			p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == carl })
		}, "They've left that room", "won't read this"},
		"archived": {func(p *project.Project) { p.Status = project.Archived }, "Their project is archived", "The project is archived"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(w *world) {
				w.wake()
				n, _ := w.asks(carl, "customer", "When?")
				w.phone(dana, "Tomorrow")
				w.must("customer", "Tomorrow")
				w.r.Agents[0].Name = "Dana Weber"
				w.tx(func(ctx context.Context) error {
					p, err := w.s.Project(ctx, "p1")
					if err != nil {
						return err
					}
					c.change(p)
					return w.s.SaveProject(ctx, p)
				})
				w.phone(dana, "for carl only")
				w.must("customer", "for carl only")
				w.must("super_admin", c.staff)
				if said := w.last(dana).body; !strings.Contains(said, c.phone) {
					t.Errorf("the agent reads %q", said)
				}
				if owner := w.card(n)["owner"].(map[string]any)["name"]; owner != "Dana" && owner != "Dana Weber" {
					t.Errorf("owner %v", owner)
				}
				p, err := w.s.Project(w.ctx, "p1")
				if err != nil || len(p.Guests) != 1 || p.Guests[0].Name != "Dana Weber" {
					t.Errorf("W3: guests %+v %v", p.Guests, err)
				}
			})
		})
	}
}
