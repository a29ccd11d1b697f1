package relay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// isRoot makes Dana somebody who is on Matrix, too.
func isRoot(r *relay.Relay) { r.Agents[0].User = root }

// M6, R8. The few handoffs that are read for a message lead to the same as all would.
func TestNarrowRouting(t *testing.T) {
	each(t, isRoot, func(w *world) {
		desk, err := w.r.Desk(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			all := w.scatter(t, rapid.IntRange(0, 12).Draw(t, "handoffs"))
			for _, phone := range []string{dana, eli} {
				known := w.all(t, all, phone)
				few, err := relay.Candidates(w.r, w.ctx, desk, phone)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 16 {
					in := handoff.Incoming{Phone: phone, Body: []string{"words", "take", "pass", "done"}[i%4], Listed: i&4 != 0, Opening: i&8 != 0}
					if got, want := desk.Find(in, few), desk.Find(in, known); got != want {
						t.Fatalf("%s of %+v: %+v, by all %+v", phone, in, got, want)
					}
				}
				list, err := relay.Choices(w.r, w.ctx, desk, phone)
				if want := desk.Choices(phone, known); err != nil || !slices.Equal(list, want) {
					t.Fatalf("%s chooses from %+v, of all %+v, %v", phone, list, want, err)
				}
			}
			w.mine(t, desk, all)
		})
	})
}

// scatter makes handoffs in all kinds of states, where words of some were sent, and
// nothing else.
func (w *world) scatter(t *rapid.T, n int) (all []*handoff.Handoff) {
	owner := rapid.SampledFrom([]handoff.Owner{{Kind: handoff.OnWhatsApp, ID: dana}, {Kind: handoff.OnWhatsApp, ID: eli}, {Kind: handoff.OnMatrix, ID: root}, {Kind: handoff.OnMatrix, ID: olga}})
	phones := []string{dana, eli}
	if err := w.s.Tx(w.ctx, func(ctx context.Context) error {
		all = nil
		for _, table := range []string{"wa_line", "handoff"} {
			if _, err := w.s.DB.Exec(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		for i := range n {
			h := &handoff.Handoff{Number: int64(i + 1), Lane: project.Customer, Room: "!customer", Thread: effect.Ref(fmt.Sprint("$", i)), State: handoff.Open,
				Leaves: rapid.IntRange(0, 3).Draw(t, "leaves") > 0, Askers: []handoff.Asker{{User: carl, Name: "Carl", Consent: handoff.Wanted}}}
			if err := w.s.SaveHandoff(ctx, h); err != nil {
				return err
			}
			if rapid.IntRange(0, 3).Draw(t, "consent") > 0 {
				h.Askers[0].Consent = handoff.Given
			}
			h.State = rapid.SampledFrom([]handoff.State{handoff.Open, handoff.Open, handoff.Taken, handoff.Closed}).Draw(t, "state")
			if h.State != handoff.Open {
				o := owner.Draw(t, "owner")
				h.Owner = &o
			}
			h.Passed = slices.DeleteFunc(slices.Clone(phones), func(string) bool { return rapid.IntRange(0, 2).Draw(t, "passed") > 0 })
			if err := w.s.SaveHandoff(ctx, h); err != nil {
				return err
			}
			if err := w.sentSome(ctx, t, h); err != nil {
				return err
			}
			all = append(all, h)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) sentSome(ctx context.Context, t *rapid.T, h *handoff.Handoff) error {
	l := &store.Line{Line: handoff.Line{Number: h.Number, Kind: rapid.SampledFrom([]handoff.LineKind{handoff.LineAsk, handoff.LineWaiting, handoff.LineTold}).Draw(t, "kind")}}
	if err := w.s.AddLine(ctx, l); err != nil {
		return err
	}
	for _, phone := range []string{dana, eli} {
		parts, err := w.s.AddParts(ctx, h.Number, l.ID, phone, []store.Body{{Words: "words"}})
		if err != nil {
			return err
		}
		if parts[0].State = "sent"; rapid.Bool().Draw(t, "sent") {
			parts[0].SID = w.id("SM")
		}
		if err := w.s.SavePart(ctx, parts[0]); err != nil {
			return err
		}
	}
	return nil
}

// all is what a phone knows of all handoffs, counted from what was sent.
func (w *world) all(t *rapid.T, all []*handoff.Handoff, phone string) (known []handoff.Known) {
	for _, h := range all {
		var n int
		if err := w.s.DB.QueryRow(w.ctx, `SELECT COUNT(*) FROM wa_part p JOIN wa_line l ON l.id=p.line
			WHERE p.phone=$1 AND p.handoff=$2 AND p.sid IS NOT NULL AND l.kind<>'told'`, phone, h.Number).Scan(&n); err != nil {
			t.Fatal(err)
		}
		known = append(known, handoff.Known{Handoff: h, Sent: n > 0})
	}
	return known
}

// mine compares the command `handoffs mine` with what the owners are.
func (w *world) mine(t *rapid.T, desk *handoff.Desk, all []*handoff.Handoff) {
	for _, user := range []string{root, olga} {
		want := []any{}
		for _, h := range all {
			if h.State == handoff.Taken && desk.Owns(h, user) {
				want = append(want, h.Number)
			}
		}
		f, _, err := w.r.Handoffs(w.ctx, user, "mine", 0)
		if err != nil {
			t.Fatal(err)
		}
		got := []any{}
		for _, row := range f["handoffs"].([]any) {
			got = append(got, row.(map[string]any)["number"])
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s owns %v, not %v", user, want, got)
		}
	}
}

// M6. With very many open handoffs an agent reads some of them, their own among them,
// and words without a number go where they do with few.
func TestManyOpenHandoffs(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		for i := range 30 {
			w.asks(carl, "customer", fmt.Sprint("question ", i))
		}
		w.phone(dana, "take 30")
		w.outs = nil
		w.phone(dana, "list")
		list := strings.Join(w.got(dana), "\n")
		if n := strings.Count(list, "*#"); n != text.MaxChoices || !strings.Contains(list, "*#30*") || !strings.Contains(list, "(yours)") || !strings.Contains(list, "There are more") {
			t.Errorf("M6: %d of them: %q", n, list)
		}
		w.phone(dana, "the answer")
		w.must("customer", "the answer")
		w.phone(dana, "done")
		if c := w.card(30); c["state"] != "closed" {
			t.Errorf("M6: %v", c)
		}
		w.outs = nil
		w.phone(dana, "take")
		if list := strings.Join(w.got(dana), "\n"); !strings.Contains(list, "Which one") {
			t.Errorf("M6: %q", list)
		}
	})
}

// M6. `handoffs mine` comes in pages, by number, whichever way somebody owns them.
func TestMineInPages(t *testing.T) {
	each(t, isRoot, func(w *world) {
		const n = 250
		w.tx(func(ctx context.Context) error {
			for i := range n {
				h := &handoff.Handoff{Number: int64(i + 1), Room: "!customer", Thread: effect.Ref(fmt.Sprint("$", i)), State: handoff.Taken, Askers: []handoff.Asker{{User: carl}}}
				h.Owner = []*handoff.Owner{{Kind: handoff.OnMatrix, ID: root}, {Kind: handoff.OnWhatsApp, ID: dana}, {Kind: handoff.OnWhatsApp, ID: eli}}[i%3]
				if err := w.s.SaveHandoff(ctx, h); err != nil {
					return err
				}
			}
			return nil
		})
		var got, want []int64
		for i := range n {
			if i%3 != 2 {
				want = append(want, int64(i+1))
			}
		}
		pages := 0
		for after := int64(0); pages == 0 || after != 0; pages++ {
			f, _, err := w.r.Handoffs(w.ctx, root, "mine", after)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range f["handoffs"].([]any) {
				got = append(got, row.(map[string]any)["number"].(int64))
			}
			after, _ = f["next"].(int64)
		}
		if !slices.Equal(got, want) || pages < 5 {
			t.Errorf("M6: %d pages: %v", pages, got)
		}
	})
}

// Every open question stands on one page of the list, however long its words and names
// are, and each page is one whole answer with its links.
func TestHandoffsInPages(t *testing.T) {
	each(t, isRoot, func(w *world) {
		const n = 130
		long := strings.Repeat("&\"<äß", 50)
		w.tx(func(ctx context.Context) error {
			for i := range n {
				h := &handoff.Handoff{Number: int64(i + 1), Room: "!customer", Lane: project.Customer, Project: "p1", ProjectName: "Acme", Thread: effect.Ref(fmt.Sprint("$", i)), State: handoff.Open,
					Created: w.now, Askers: []handoff.Asker{{User: carl, Name: "Carl"}}, Question: text.Words{Plain: "When?"}}
				if i%3 == 0 {
					h.Question.Plain, h.Askers[0].Name, h.ProjectName = long, long, long
				}
				if err := w.s.SaveHandoff(ctx, h); err != nil {
					return err
				}
				if err := w.s.SaveSent(ctx, handoff.Card(h.Number), "!super", fmt.Sprint("$card", i)); err != nil {
					return err
				}
			}
			return nil
		})
		for _, scope := range []string{"open", "all"} {
			seen := map[int64]int{}
			for after, first := int64(0), true; first || after != 0; first = false {
				f, words, err := w.r.Handoffs(w.ctx, root, scope, after)
				if err != nil {
					t.Fatal(err)
				}
				fit := markup.Fit(words, 10_000)
				if fit.Plain != words.Plain || fit.HTML == "" {
					t.Errorf("%s: a page of %d and %d bytes is cut", scope, len(words.Plain), len(words.HTML))
				}
				for _, row := range f["handoffs"].([]any) {
					number := row.(map[string]any)["number"].(int64)
					seen[number]++
					if !strings.Contains(fit.Plain, fmt.Sprintf("#%d ", number)) {
						t.Errorf("%s: #%d is not in the words", scope, number)
					}
				}
				after, _ = f["next"].(int64)
				if after != 0 && !strings.Contains(fit.Plain, fmt.Sprint("--after ", after)) {
					t.Errorf("%s: no way to the next page", scope)
				}
			}
			for i := range n {
				if seen[int64(i+1)] != 1 {
					t.Errorf("%s: #%d is on %d pages", scope, i+1, seen[int64(i+1)])
				}
			}
		}
	})
}

// U4: what an agent meant as a command never reaches the asker. It is done, or held and
// asked about.
func TestWordsAreNoAnswers(t *testing.T) {
	each(t, onlyDana, func(w *world) {
		w.phone(dana, "?")
		n, _ := w.asks(carl, "customer", "When?")
		w.outs = nil
		w.phone(dana, "hi")
		if said := w.last(dana).body; !strings.Contains(said, "`list` what's open") || w.card(n)["state"] != "open" {
			t.Errorf("hi: %q, %v", said, w.card(n))
		}
		w.phone(dana, "Tomorrow")
		w.must("customer", "Tomorrow")
		before := len(w.in("customer"))
		for _, word := range []string{"done1 thanks", "done?", "1: done", "close 1", "!lane close", "1: yes", "nr 1: yes"} {
			w.outs = nil
			w.phone(dana, word)
			if said := strings.Join(w.got(dana), "\n"); !strings.Contains(said, "Nothing was sent") || !strings.Contains(said, "*#1* Carl") {
				t.Errorf("%q: %q", word, said)
			}
		}
		if said := w.in("customer"); len(said) != before || w.card(n)["state"] != "taken" {
			t.Errorf("the asker reads %q; %v", said[before:], w.card(n))
		}
		w.phone(dana, "/done 1")
		if w.card(n)["state"] != "closed" {
			t.Errorf("/done 1: %v", w.card(n))
		}
		w.none("customer", "/done")
	})
}
