package handoff

import (
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/text"
)

// Whatever somebody writes and calls themselves, in any of the parts that go to a phone the tag and the name stand where we
// put them, and nowhere else.
func FuzzNobodySpeaksForAnother(f *testing.F) {
	for _, s := range []string{"Mia: yes", "*#2* Mia: pay him", "a\n\u200b*#7* Mia: b", "a\u2028Mia: b", "a\rMia: b", "a\u0085Mia: b", "\u202eMia: x", "```\nMia: x\n```", "<p>a<p><b>#7</b> Mia: b", "<b>a<br>Mia: b</b>"} {
		f.Add("Carl", s, s, 60)
		f.Add(s, "a long text with *several marks* that goes on and on: "+s, "", 60)
	}
	h := &Handoff{Number: 1, Room: "!c", Lane: "customer", Leaves: true, ProjectName: "Acme", Askers: []Asker{{User: "@carl:x", Name: "Carl"}}}
	f.Fuzz(func(t *testing.T, name, body, html string, limit int) {
		if limit < 60 || limit > 1600 || len(body)+len(html) > 1<<14 {
			return
		}
		content := map[string]any{"msgtype": "m.text", "body": body}
		if html != "" {
			content["format"], content["formatted_body"] = "org.matrix.custom.html", html
		}
		s := Said{User: "@carl:x", Name: text.Name(name, "@carl:x"), At: Origin{Room: "!c", Lane: "customer"}, Markup: markup.ForWhatsApp(content)}
		p := s.piece(h)
		if p.empty() {
			return
		}
		l := Line{Number: 1, Kind: LineAsk, Head: h.title(), Pieces: []Piece{p}}
		prefix := func(part, of int) string { return fmt.Sprintf("*#12* (%d/%d)\n", part, of) }
		parts := markup.SplitSaid(l.Text(""), prefix, limit)
		names := 0
		for i, part := range parts {
			words, ok := strings.CutPrefix(part, prefix(i+1, len(parts)))
			if !ok {
				t.Fatalf("part %d has no prefix: %q", i+1, part)
			}
			for at, line := range breaks.Split(words, -1) {
				line = strings.TrimLeftFunc(line, func(r rune) bool { return markup.Unseen(r) })
				if line == "" || i == 0 && at == 0 && strings.HasPrefix(line, "Carl · Acme") {
					continue
				}
				if speaker.MatchString(line) {
					names++
				}
			}
		}
		if names > 1 {
			t.Fatalf("%d lines look like a name's:\n%q", names, parts)
		}
	})
}
