package handoff

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/text"
)

// forgery is what somebody might write to look like us, or like somebody else.
var forgery = rapid.SampledFrom([]string{
	"Mia: I have approved the refund", "*#2* Mia: pay him", "Before that:", "*Dana (WhatsApp):* solved", "**Dana:** hi", "#7", "\u200b#7", "<b>&#8203;#7</b>",
	"root (Support): done", "Mia： yes", "Closed by root.", "✅ Closed by root.", "Open – ✋ to take it, then reply in this thread.", "🟠 #7 · Mia · direct chat", "🔵 root is answering here.", "✅ #7 · Mia", "```", "```Mia: x```", "> Mia: quoted", "- Mia: listed", "1. Mia: listed", "", "word", "<br>", "<p>Mia: x</p>",
	"</blockquote><strong>Dana:</strong> x", "\u202eMia:", "\r", "\u2028Mia: x", "\v", "\u0085",
})

func draw(t *rapid.T, what string) string {
	lines := rapid.SliceOfN(forgery, 1, 6).Draw(t, what)
	return strings.Join(lines, rapid.SampledFrom([]string{"\n", "\n\n", " ", "<br>"}).Draw(t, "between"))
}

var (
	breaks  = regexp.MustCompile("\r\n|[\n\r\v\f\u0085\u2028\u2029]") // what some client may show as a new line
	speaker = regexp.MustCompile(`^[^>].{0,70}?:( |$)|^\*?#\d|^\*`)   // NAME: or a tag
)

// R9, W15: whatever people write and call themselves, the lines that look like
// "NAME:" or a tag are those that we wrote, one for each piece, in every part.
func TestNobodySpeaksForAnother(t *testing.T) {
	h := &Handoff{Number: 1, Room: "!c", Lane: "customer", Leaves: true, ProjectName: "Acme", Askers: []Asker{{User: "@carl:x", Name: "Carl"}}}
	rapid.Check(t, func(t *rapid.T) {
		l := Line{Number: 1, Kind: LineAsk, Head: h.title()}
		pieces := rapid.IntRange(1, 4).Draw(t, "pieces")
		words := 0
		for i := range pieces {
			content := map[string]any{"msgtype": "m.text", "body": draw(t, "body")}
			if rapid.Bool().Draw(t, "rich") {
				content["format"], content["formatted_body"] = "org.matrix.custom.html", draw(t, "html")
			}
			said := markup.ForWhatsApp(content)
			if rapid.IntRange(0, 3).Draw(t, "from") == 0 { // an agent, in WhatsApp's own markup
				said = markup.Visible(draw(t, "phone"))
			}
			s := Said{User: "@carl:x", Name: text.Name(draw(t, "name"), "@carl:x"), At: Origin{Room: "!c", Lane: "customer"}, Markup: said}
			if rapid.IntRange(0, 3).Draw(t, "file") == 0 {
				s.File, s.Event, s.Sent = true, "$f", &File{MXC: "mxc://x/y", Kind: "m.file", Name: draw(t, "file name")}
			}
			p := s.piece(h)
			if i == 1 {
				p = p.titled("Before that:")
			}
			if !p.empty() {
				words++
			}
			l.Pieces = append(l.Pieces, p)
		}
		limit := rapid.SampledFrom([]int{markup.WhatsAppLimit, 60}).Draw(t, "limit")
		found := 0
		for i, part := range markup.SplitSaid(l.Text(""), func(int, int) string { return "" }, limit) {
			for _, line := range breaks.Split(part, -1) {
				if line == "" || line == "Before that:" || i == 0 && strings.HasPrefix(line, "Carl · Acme") {
					continue
				}
				if speaker.MatchString(line) {
					found++
				}
			}
		}
		if limit > 1000 && found != words || found > words {
			t.Fatalf("%d pieces, %d lines look like one:\n%s", words, found, l.Text(""))
		}
	})
}

// R9: in Matrix people's words stand in a block of their own, so that nothing in them
// is beside a name of ours, nor beside the state of a card.
func TestBlocksInMatrix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := map[string]any{"body": draw(t, "body"), "format": "org.matrix.custom.html", "formatted_body": draw(t, "html")}
		if rapid.Bool().Draw(t, "plain") {
			delete(content, "formatted_body")
		}
		w := markup.Carried(content)
		if w.Plain == "" {
			return
		}
		spoken := text.Spoken("Carl", "", w)
		if n := strings.Count(outside(spoken.HTML), "<strong>"); n != 1 {
			t.Fatalf("%d names in %s", n, spoken.HTML)
		}
		for i, line := range strings.Split(spoken.Plain, "\n") {
			if i > 0 && !strings.HasPrefix(line, "> ") {
				t.Fatalf("a line of %q stands for itself", spoken.Plain)
			}
		}
		card := text.CardForStaff(text.Card{Number: 1, Asker: text.Pill{ID: "@carl:x", Name: "Carl"}, Question: w, State: "open"})
		if s := outside(card.HTML); strings.Contains(s, "Closed by") || strings.Contains(s, "answering") || strings.Count(s, "Open –") != 1 || strings.Count(s, "🟠") != 1 || strings.ContainsAny(s, "🔵✅") {
			t.Fatalf("the asker writes on the card: %s", card.HTML)
		}
		for i, line := range strings.Split(card.Plain, "\n") {
			ours := i == 0 || strings.HasPrefix(line, "Open – ") && i == strings.Count(card.Plain, "\n")
			if !ours && !strings.HasPrefix(line, "> ") {
				t.Fatalf("the asker writes on the card: %s", card.Plain)
			}
		}
	})
}

// outside is what stands in no blockquote.
func outside(html string) string {
	depth, out := 0, ""
	for html != "" {
		switch {
		case strings.HasPrefix(html, "<blockquote>"):
			depth++
		case strings.HasPrefix(html, "</blockquote>"):
			depth--
		}
		if depth == 0 {
			out += html[:1]
		}
		html = html[1:]
	}
	return out
}
