package markup

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// written are the tags that FromWhatsApp writes; none has an attribute but <ol start>.
var written = map[string]bool{"strong": true, "em": true, "del": true, "code": true, "pre": true, "ul": true, "ol": true, "li": true, "blockquote": true, "br": true}

type failer interface{ Errorf(string, ...any) }

// checkHTML: nothing but these tags, with no attribute but these, and all closed in order. It gives the words.
func checkHTML(t failer, s string, tags map[string]bool, attr func(tag, key, value string) bool) string {
	z := html.NewTokenizer(strings.NewReader(s))
	var open []string
	var words strings.Builder
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("left open %v in %q", open, s)
			}
			return words.String()
		case html.TextToken:
			words.WriteString(html.UnescapeString(string(z.Raw())))
		case html.StartTagToken:
			token := z.Token()
			if !tags[token.Data] {
				t.Errorf("tag %s in %q", token.Data, s)
			}
			for _, a := range token.Attr {
				if !attr(token.Data, a.Key, a.Val) {
					t.Errorf("attribute %s=%q in %q", a.Key, a.Val, s)
				}
			}
			if token.Data != "br" && token.Data != "hr" {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Errorf("</%s> closes %v in %q", name, open, s)
				return words.String()
			}
			open = open[:len(open)-1]
		default:
			t.Errorf("%q in %q", z.Raw(), s)
		}
	}
}

// checkNobody: words that come from outside mention nobody.
func checkNobody(t failer, w Words) {
	for _, c := range []map[string]any{w.Message(), w.Notice()} {
		if m, ok := c["m.mentions"].(map[string]any); !ok || len(m) > 0 {
			t.Errorf("m.mentions is %v", c["m.mentions"])
		}
	}
}

// checkFromWhatsApp: the HTML has the tags of marks only, is closed properly, and says nothing that was not written. On the
// way back it says the same.
func checkFromWhatsApp(t failer, in string) {
	w := FromWhatsApp(in)
	checkNobody(t, w)
	if strings.ContainsFunc(w.Plain, otherBreak) {
		t.Errorf("a line separator in %q", w.Plain)
	}
	if w.HTML == "" {
		return
	}
	said := checkHTML(t, w.HTML, written, func(tag, key, value string) bool {
		return tag == "ol" && key == "start" && strings.Trim(value, "0123456789") == ""
	})
	if a, b := letters(said), letters(withoutMatrixLinks(in)); !subsequence(a, b) {
		t.Errorf("words %q are not in %q", a, b)
	}
	back, ok := htmlForWhatsApp(w.HTML)
	if a, b := letters(Visible(said)), letters(Visible(back)); ok && a != b && !strings.Contains(strings.ToLower(in), "matrix") {
		t.Errorf("%q came back as %q", a, b)
	}
}

// checkForWhatsApp: no line begins like one of ours, turns the direction of others, or ends where phones alone see an end.
func checkForWhatsApp(t failer, formatted string) {
	out := ForWhatsApp(map[string]any{"body": formatted, "format": "org.matrix.custom.html", "formatted_body": formatted})
	for _, words := range []string{out, LiteralForWhatsApp(formatted)} {
		if strings.ContainsFunc(words, otherBreak) || strings.ContainsFunc(words, turns) {
			t.Errorf("%q holds a separator or a control", words)
		}
		for _, sp := range spans(words) {
			before := words[strings.LastIndexByte(words[:sp.start], '\n')+1 : sp.start]
			if sp.sign == "*" && seen(before) == "" && ours(words[sp.start:sp.end]) {
				t.Errorf("%q became %q", formatted, words)
			}
		}
	}
}

// otherBreak reports whether some client may show a character as a new line.
func otherBreak(r rune) bool { return strings.ContainsRune("\r\v\f\u0085\u2028\u2029", r) }

// turns reports whether a character turns the direction of what follows.
func turns(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r)
}

// seen is what of a text has looks of its own.
func seen(s string) string {
	return strings.Map(func(r rune) rune {
		if Unseen(r) || Blank(r) || unicode.IsMark(r) || strings.ContainsRune("*_~`", r) {
			return -1
		}
		return r
	}, s)
}

// ours reports whether words look like the tag of a handoff.
func ours(s string) bool {
	runes := []rune(seen(s))
	return len(runes) > 1 && strings.ContainsRune("#＃﹟♯⋕⌗№", runes[0]) && unicode.IsNumber(runes[1])
}

// checkCarried: HTML that moves to another room names and mentions nobody in Matrix.
func checkCarried(t failer, formatted string) {
	w := Carried(map[string]any{"body": formatted, "format": "org.matrix.custom.html", "formatted_body": formatted})
	checkNobody(t, w)
	tags := map[string]bool{"a": true}
	for tag := range carriedTags {
		tags[tag] = true
	}
	said := checkHTML(t, w.HTML, tags, func(tag, key, value string) bool {
		u, err := url.Parse(strings.TrimSpace(value))
		return err == nil && tag == "a" && key == "href" && slices.Contains([]string{"http", "https", "mailto"}, u.Scheme) &&
			!strings.EqualFold(strings.Trim(u.Hostname(), "."), "matrix.to") && !strings.HasPrefix(strings.TrimPrefix(u.Fragment, "/"), "@")
	})
	if strings.ContainsFunc(w.Plain+said, turns) || strings.ContainsFunc(w.Plain, otherBreak) {
		t.Errorf("%q, %q hold a separator or a control", w.Plain, said)
	}
}

// A text of words and marks is the same after the way to WhatsApp and back.
func TestRoundTrip(t *testing.T) {
	var draw func(t *rapid.T, tags []string) string
	draw = func(t *rapid.T, tags []string) string {
		var words []string
		for range rapid.IntRange(1, 4).Draw(t, "words") {
			word := rapid.SampledFrom([]string{"a", "word", "é", "字", "שלום", "👍🏽", "1", "&amp;", "&lt;b&gt;"}).Draw(t, "word")
			if len(tags) > 0 && rapid.Bool().Draw(t, "marked") {
				i := rapid.IntRange(0, len(tags)-1).Draw(t, "tag")
				tag := tags[i]
				rest := append(append([]string{}, tags[:i]...), tags[i+1:]...)
				if tag == "code" {
					rest = nil
				}
				word = "<" + tag + ">x " + draw(t, rest) + " y</" + tag + ">"
			}
			words = append(words, word)
		}
		return strings.Join(words, " ")
	}
	rapid.Check(t, func(t *rapid.T) {
		in := "x " + draw(t, []string{"strong", "em", "del", "code"})
		out, _ := htmlForWhatsApp(in)
		if got := FromWhatsApp(out).Rich(); got != in {
			t.Errorf("%s\nwent as %s\nand came back as %s", in, out, got)
		}
	})
}

func FuzzFromWhatsApp(f *testing.F) {
	for _, s := range []string{"*a _b_* `c`", "```x```", "> a\n- b\n1. c", "\x00\xff<&>", "@room *<a href=\"https://matrix.to/#/@root:example.org\">root</a>*", "a\u2028*#12* Mia: b\u0085c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkFromWhatsApp(t, s) })
}

func FuzzForWhatsApp(f *testing.F) {
	for _, s := range []string{"<b>a</b>", "<ul><li>a<pre>b</pre></li></ul>", "<table><tr><td>a", `<a href="https://x">y</a>`, "<blockquote><ol start=9><li>",
		"&nbsp;<b>#12</b>", "<p><b>&#8203;#&#65039;12</b> a", "a<br><i><b>＃１２</b></i>", "a\u2028<b>#12</b>", "\u202e<b>#12</b>", "<pre>a</pre>*#12*", "<h1>№12</h1>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkForWhatsApp(t, s) })
}

func FuzzCarried(f *testing.F) {
	for _, s := range []string{"<b>a</b>", `<a href="https://matrix.to/#/@ann:x">Ann</a>`, `<a href="https://matrix.to/&#9;#/@ann:x">Ann</a>`, `<a href="https://app.element.io/#/user/@ann:x">Ann</a>`,
		`<a href="https://matrix.to./%23/@ann:x">Ann</a>`, "<ul><li>@room", "<b a=b>x", "a\u2028b\u202ec", "<!-- x --><svg><b>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkCarried(t, s) })
}
