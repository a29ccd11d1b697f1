package markup

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is more than words or HTML; see TestGolden.
func TestForWhatsAppContent(t *testing.T) {
	reply := map[string]any{"m.in_reply_to": map[string]any{"event_id": "$x"}}
	for _, c := range []struct {
		name    string
		content map[string]any
		want    string
	}{
		{"reply", map[string]any{"body": "> <@a:b> old\n> more\n\nnew\n> mine", "m.relates_to": reply}, "new\n> mine"},
		{"other format", map[string]any{"body": "a", "format": "x", "formatted_body": "<b>b</b>"}, "a"},
		{"empty html", map[string]any{"body": "a", "format": "org.matrix.custom.html", "formatted_body": "<p></p>"}, "a"},
		{"too deep", map[string]any{"body": "a", "format": "org.matrix.custom.html", "formatted_body": strings.Repeat("<div>", 5000)}, "a"},
		{"wrong types", map[string]any{"body": 1, "formatted_body": []any{}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ForWhatsApp(c.content); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// An agent on WhatsApp can notify nobody in Matrix by what they write.
func TestFromWhatsAppMentionsNobody(t *testing.T) {
	w := FromWhatsApp(`@room *<a href="https://matrix.to/#/@root:example.org">root</a>* https://matrix.to/#/@root:example.org`)
	if strings.Contains(w.HTML, "<a") {
		t.Errorf("a link got through: %s", w.HTML)
	}
	if m := w.Message()["m.mentions"].(map[string]any); len(m) != 0 {
		t.Errorf("mentions %v", m)
	}
}

// letters are the characters that no mark is made of.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("*_~`>-•.)0123456789 \t\n\r", r) || r == wordJoiner || r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

func subsequence(a, b string) bool {
	rest := []rune(strings.ToValidUTF8(b, "\uFFFD"))
	for _, r := range a {
		for len(rest) > 0 && rest[0] != r {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return false
		}
		rest = rest[1:]
	}
	return true
}

var markup = rapid.StringOfN(rapid.SampledFrom([]rune("ab *_~`>-1.\n<&é👍🏽\u200d")), 0, 60, -1)

func TestFromWhatsAppProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkFromWhatsApp(t, markup.Draw(t, "in")) })
}

// What somebody typed without formatting is read back without formatting.
func TestLiteralStaysLiteral(t *testing.T) {
	words := rapid.StringOfN(rapid.SampledFrom([]rune("ab *_~.(é👍")), 0, 40, -1)
	rapid.Check(t, func(t *rapid.T) {
		in := words.Draw(t, "in")
		got := LiteralForWhatsApp(in)
		for _, sp := range spans(got) {
			t.Errorf("%q became %q with mark %q", in, got, got[sp.start:sp.end])
		}
		if strings.ReplaceAll(got, string(wordJoiner), "") != strings.TrimSpace(in) {
			t.Errorf("%q became %q", in, got)
		}
	})
}

// Marks that are written are read as the same marks.
func TestMarksAreRead(t *testing.T) {
	tree := rapid.SliceOfN(rapid.SampledFrom([]string{"<b>", "</b>", "<i>", "</i>", "<s>", "</s>", "<code>", "</code>", " ", "a", "b c", "*", "_", "<br>", "é"}), 0, 25)
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(tree.Draw(t, "html"), "")
		out, ok := htmlForWhatsApp(in)
		if !ok {
			return
		}
		for _, sp := range spans(out) {
			inner := out[sp.start+len(sp.sign) : sp.end-len(sp.sign)]
			if strings.TrimSpace(inner) != inner {
				t.Errorf("%q: mark %q does not hug", in, out[sp.start:sp.end])
			}
		}
	})
}
