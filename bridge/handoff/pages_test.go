package handoff

import (
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/text"
)

// inThread are the words that a decision shows in the card's thread, and the IDs that
// it edits and redacts.
func inThread(dec Decision) (said, edited, redacted []string) {
	for _, e := range dec.Effects {
		switch m := e.Message; {
		case e.Redact != nil:
			redacted = append(redacted, string(e.Redact.Target))
		case m == nil || !m.To.SuperAdmin || m.Reacts != "":
		case m.Edits == effect.To(Card(1)):
		case m.Edits != "":
			edited = append(edited, string(m.Edits))
		case m.Thread == effect.To(Card(1)) && strings.Contains(m.Content["body"].(string), "**Carl:**"):
			said = append(said, m.ID)
			if strings.Contains(m.Content["body"].(string), "shortened") {
				said = append(said, "(shortened)")
			}
		}
	}
	return said, edited, redacted
}

// A long question stands whole in the card's thread, in parts with IDs that are always
// the same; what an edit changes and a deletion takes away is all of them.
func TestLongWordsInParts(t *testing.T) {
	const first, second, third = "say:1:$q", "more:1:2:$q", "more:1:3:$q"
	at := Origin{Room: "!c", Lane: "customer"}
	said := func(lines int) Said {
		w := strings.TrimSpace(strings.Repeat("a line of words\n", lines))
		return Said{Event: "$q", User: "@carl:x", Name: "Carl", At: at, Words: text.Words{Plain: w}, Markup: w}
	}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %q, not %q", what, got, want)
		}
	}
	d := &Desk{}
	h, dec := d.Ask(Asking{Number: 1, Project: "p1", ProjectName: "Acme", Lane: "customer", Room: "!c", Question: said(3000)})
	asked, _, _ := inThread(dec)
	check("asked", asked, first, second, third)
	edit := said(1200)
	edit.At.Handoff = 1
	more, edited, _ := inThread(d.Edited(h, edit, nil))
	check("edited, new", more)
	check("edited", edited, "~"+first, "~"+second, "~"+third)
	_, _, redacted := inThread(d.Withdrawn(h, &h.Askers[0], "$q", nil))
	check("redacted", redacted, "~"+first, "~"+second, "~"+third)

	// An edit can make a question long.
	h, _ = d.Ask(Asking{Number: 1, Project: "p1", ProjectName: "Acme", Lane: "customer", Room: "!c", Question: said(3)})
	edit = said(1000)
	edit.At.Handoff = 1
	more, edited, _ = inThread(d.Edited(h, edit, nil))
	check("grown, new", more, first)
	check("grown", edited)
}
