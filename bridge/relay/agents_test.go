package relay_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/text"
)

const fay = "+5511987654321"

// Agents are added, paused and removed at run time; that stands after a start, and the
// configuration stays the base.
func TestAgentsAtRunTime(t *testing.T) {
	each(t, func(r *relay.Relay) { r.From = "whatsapp:+14155238886" }, func(w *world) {
		do := func(change func(ctx context.Context) (map[string]any, text.Words, error)) (fields map[string]any, words string, refused *project.Error) {
			t.Helper()
			err := w.s.Tx(w.ctx, func(ctx context.Context) error {
				f, said, err := change(ctx)
				fields, words = f, said.Plain
				return err
			})
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(err)
			}
			w.settle()
			return fields, words, refused
		}
		add := func(number, name, user string) *project.Error {
			t.Helper()
			_, _, refused := do(func(ctx context.Context) (map[string]any, text.Words, error) {
				return w.r.AgentAdd(ctx, root, number, name, user)
			})
			return refused
		}
		pause := func(who string, span time.Duration) *project.Error {
			t.Helper()
			_, _, refused := do(func(ctx context.Context) (map[string]any, text.Words, error) {
				return w.r.AgentPause(ctx, root, who, span)
			})
			return refused
		}
		list := func() string {
			t.Helper()
			_, words, _ := do(w.r.AgentList)
			return words
		}
		w.wake()
		if r := add("+55 (11) 98765-4321", "  Fay  B. ", ""); r != nil {
			t.Fatal(r)
		}
		for name, r := range map[string]*project.Error{
			"the same in another form": add("+551187654321", "Else", ""), "an agent of the configuration": add(dana, "Else", ""),
		} {
			if r == nil || r.Code != project.Conflict {
				t.Errorf("%s: %v", name, r)
			}
		}
		for name, r := range map[string]*project.Error{
			"no number": add("12", "Else", ""), "no name": add("+4915100000009", " ", ""), "our own": add("+14155238886", "Else", ""),
		} {
			if r == nil || r.Code != project.BadArgument {
				t.Errorf("%s: %v", name, r)
			}
		}
		w.phone("+551187654321", "?")
		w.outs = nil
		w.asks(carl, "customer", "alpha")
		for _, phone := range []string{dana, eli, fay} {
			w.phoneGot(phone, "*#1* Carl · Acme, customer lane\nCarl: alpha")
		}
		w.phone(eli, "#1 mine")

		// A pause: nothing new, and what is theirs goes on.
		if r := pause("Eli", time.Hour); r != nil {
			t.Fatal(r)
		}
		if r := pause("nobody", 0); r == nil || r.Code != project.NotFound {
			t.Errorf("%v", r)
		}
		if r := pause("fay b.", 0); r != nil {
			t.Fatal(r)
		}
		w.outs = nil
		w.asks(xena, "direct"+xena, "beta")
		w.says(carl, "customer", replying(w.must("customer", "mine").id, "more"))
		w.phoneGot(dana, "*#2* Xena · direct chat\nXena: beta")
		w.phoneGot(eli, "*#1* Carl: more")
		w.phoneGot(fay)
		if got := list(); !strings.Contains(got, "Eli · "+eli+" · paused until 2 March, 10:0") || !strings.Contains(got, "Fay B. · "+fay+" · paused\n") && !strings.HasSuffix(got, "· paused") || !strings.Contains(got, "Dana · "+dana+" · can be written to") {
			t.Errorf("list: %s", got)
		}
		w.now = w.now.Add(2 * time.Hour)

		// A start reads it again.
		if err := w.r.LoadPeople(w.ctx); err != nil {
			t.Fatal(err)
		}
		for _, change := range []func(ctx context.Context) (map[string]any, text.Words, error){
			func(ctx context.Context) (map[string]any, text.Words, error) { return w.r.AgentResume(ctx, root, fay) },
			func(ctx context.Context) (map[string]any, text.Words, error) {
				return w.r.AgentRemove(ctx, root, "dana")
			},
		} {
			if _, _, refused := do(change); refused != nil {
				t.Fatal(refused)
			}
		}
		if got := list(); strings.Contains(got, "Dana") || strings.Contains(got, "paused") {
			t.Errorf("list: %s", got)
		}
		w.outs = nil
		w.asks(carl, "direct"+carl, "gamma")
		w.phoneGot(dana)
		w.phoneGot(eli, "*#3* Carl · direct chat\nCarl: gamma")
		w.phoneGot(fay, "*#3* Carl · direct chat\nCarl: gamma")
		w.phone(dana, "#3 let me")
		w.none("direct"+carl, "let me")
		if r := add(dana, "Dana", root); r != nil {
			t.Fatal(r)
		}
		w.phone(dana, "#3 back again")
		w.must("direct"+carl, "back again")
	})
}

// Who was only paused is an agent by the configuration alone: who is not in it any more
// is none, and it says what they are called.
func TestAgentsOfTheConfiguration(t *testing.T) {
	each(t, func(r *relay.Relay) {}, func(w *world) {
		for _, who := range []string{dana, eli} {
			if err := w.s.Tx(w.ctx, func(ctx context.Context) error {
				_, _, err := w.r.AgentPause(ctx, root, who, 0)
				if err == nil && who == dana {
					_, _, err = w.r.AgentResume(ctx, root, who)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		w.r.Agents = []handoff.Agent{{Phone: eli, Name: "Elias", User: root}}
		if err := w.r.LoadPeople(w.ctx); err != nil {
			t.Fatal(err)
		}
		people := w.r.People()
		if len(people) != 1 || people[0].Name != "Elias" || people[0].User != root || people[0].Paused.IsZero() {
			t.Errorf("%+v", people)
		}
	})
}
