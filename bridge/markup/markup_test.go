package markup

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// MSG: what a Matrix client sends becomes what WhatsApp shows.
func TestForWhatsAppHTML(t *testing.T) {
	j := string(wordJoiner)
	for _, c := range []struct{ name, html, want string }{
		{"bold", "a <strong>b</strong> c", "a *b* c"},
		{"nested", "<b>a <i>b</i></b>", "*a _b_*"},
		{"same start", "<i><b>a</b> b</i>", "_*a* b_"},
		{"hugs words", "a <b> b </b>c", "a *b* c"},
		{"blank only", "a<b> </b>c", "a c"},
		{"inside a word", "un<b>believ</b>able", "unbelievable"},
		{"twice bold", "<b>a <strong>b</strong></b>", "*a b*"},
		{"over lines", "<b>a<br>b</b>", "*a*\n*b*"},
		{"crossing", "<b>a </b><b><i>b</i></b><i> c</i>", "*a b* c"},
		{"strike", "<del>a</del> <s>b</s>", "~a~ ~b~"},
		{"heading", "<h2>T</h2><p>x</p>", "*T*\n\nx"},
		{"bold heading", "<h2>T <b>U</b></h2>x", "*T U*\n\nx"},
		{"paragraphs", "<p>a</p>\n<p>b</p>", "a\n\nb"},
		{"code", "use <code>a_b *c*</code>!", "use `a_b *c*`!"},
		{"code with backtick", "<code>a`b</code>", "a`b"},
		{"bold in code", "<code>a <b>b</b></code>", "`a b`"},
		{"code in bold", "<b>a <code>b</code> c</b>", "*a `b` c*"},
		{"pre", "<p>x</p><pre><code class=\"language-go\">a\n  b\n</code></pre><p>y</p>", "x\n\n```a\n  b```\n\ny"},
		{"fence in pre", "<pre>a```b</pre>", "```a``" + j + "`b```"},
		{"list", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>d", "- a\n- b\n  - c\nd"},
		{"numbers", "<p>x</p><ol start=\"3\"><li><p>a</p></li><li>b</li></ol>", "x\n\n3. a\n4. b"},
		{"quote", "<blockquote><p>a</p><blockquote>b</blockquote></blockquote><p>c</p>", "> a\n> \n> b\n\nc"},
		{"link", `<a href="https://x.org/a_b_c">the <b>page</b></a>`, "the *page* (https://x.org/a_b_c)"},
		{"bare link", `<a href="https://x.org/">x.org</a>`, "https://x.org/"},
		{"mail", `<a href="mailto:a@x.org">a@x.org</a>`, "a@x.org"},
		{"W14: address without a scheme", "see www.example.org/_a_/b and example.org/_x_, (e.org:8080/*y*)", "see www.example.org/_a_/b and example.org/_x_, (e.org:8080/*y*)"},
		{"W14: no mark at an address", "<strong>https://e.org/pay</strong> or <em>now: https://e.org/a_b today</em>", "https://e.org/pay or _now:_ https://e.org/a_b _today_"},
		{"W14: an address in code", "<code>https://e.org/a_b</code>", "`https://e.org/a_b`"},
		{"script link", `<a href="javascript:alert(1)">x</a>`, "x"},
		{"pill", `hi <a href="https://matrix.to/#/@ann:example.org">Ann</a>: yes`, "hi Ann: yes"},
		{"nameless pill", `<a href="https://matrix.to/#/%40ann%3Aexample.org">@ann:example.org</a>`, "ann"},
		{"matrix uri", `<a href="matrix:u/ann:example.org">@ann:example.org</a>`, "ann"},
		{"event link", `<a href="https://matrix.to/#/!abc:example.org/$ev">https://matrix.to/#/!abc:example.org/$ev</a>`, "(a place in Matrix)"},
		{"reply", "<mx-reply><blockquote>old</blockquote></mx-reply>new", "new"},
		{"spoiler", `<span data-mx-spoiler="film">he dies</span>`, "(spoiler: film) he dies"},
		{"spoiler without reason", `<span data-mx-spoiler>he dies</span>`, "(spoiler) he dies"},
		{"maths", `<span data-mx-maths="\alpha"><code>a</code></span>`, "`\\alpha`"},
		{"table", "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2<br>3</td></tr></tbody></table>", "*A* | *B*\n1 | 2 3"},
		{"emoji", `<img data-mx-emoticon src="mxc://a/b" alt=":cat:">`, ":cat:"},
		{"image", `<img src="mxc://a/b" alt="plan">`, "[image: plan]"},
		{"rule", "a<hr>b", "a\n———\nb"},
		{"colour", `<font color="red">a</font><u>b</u>`, "ab"},
		{"entities", "a &lt;b&gt; &amp;amp;&#1; c", "a <b> &amp; c"},
		{"typed signs", "<b>x</b> and *y* and 2*3*4", "*x* and " + j + "*" + j + "y* and 2*3*4"},
		{"sign in its own mark", "<b>a* b</b>", "*a" + j + "*" + j + " b*"},
		{"sign next to a mark", "*<b>x</b>", j + "*" + j + "x"},
		{"forged tag", "<b>#13</b> x<br>a <b>#13</b>", "#13 x\na *#13*"},
		{"style and script", "<style>x</style><script>y</script>z", "z"},
		{"unknown tag", "<marquee>a</marquee>", "a"},
		{"arabic", "<b>مرحبا</b> بك", "*مرحبا* بك"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ForWhatsApp(map[string]any{"msgtype": "m.text", "body": "BODY", "format": "org.matrix.custom.html", "formatted_body": c.html})
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestForWhatsAppPlain(t *testing.T) {
	j := string(wordJoiner)
	reply := map[string]any{"m.in_reply_to": map[string]any{"event_id": "$x"}}
	for _, c := range []struct {
		name    string
		content map[string]any
		want    string
	}{
		{"plain", map[string]any{"body": " a\n\n b <c> "}, "a\n\n b <c>"},
		{"typed mark", map[string]any{"body": "*Support:* hi"}, j + "*" + j + "Support:* hi"},
		{"no mark", map[string]any{"body": "snake_case_x 5 * 3 * 2*x"}, "snake_case_x 5 * 3 * 2*x"},
		{"address", map[string]any{"body": "https://x.org/_a_/*b*"}, "https://x.org/_a_/*b*"},
		{"reply", map[string]any{"body": "> <@a:b> old\n> more\n\nnew\n> mine", "m.relates_to": reply}, "new\n> mine"},
		{"no reply", map[string]any{"body": "> <@a:b> old\n\nnew"}, "> <@a:b> old\n\nnew"},
		{"other format", map[string]any{"body": "a", "format": "x", "formatted_body": "<b>b</b>"}, "a"},
		{"empty html", map[string]any{"body": "a", "format": "org.matrix.custom.html", "formatted_body": "<p></p>"}, "a"},
		{"too deep", map[string]any{"body": "a", "format": "org.matrix.custom.html", "formatted_body": strings.Repeat("<div>", 5000)}, "a"},
		{"wrong types", map[string]any{"body": 1, "formatted_body": []any{}}, ""},
		{"control characters", map[string]any{"body": "a\x00b\x1b[1m\r\nc"}, "ab[1m\nc"},
		{"room link", map[string]any{"body": "see https://matrix.to/#/!abc:example.org/$ev?via=example.org now"}, "see (a place in Matrix) now"},
		{"matrix uri", map[string]any{"body": "ask (matrix:u/ann:example.org) or MATRIX:roomid/abc:example.org/e/ev."}, "ask (ann) or (a place in Matrix)."},
		{"half a mark", map[string]any{"body": "*Ann and *"}, j + "*" + j + "Ann and " + j + "*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ForWhatsApp(c.content); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestFromWhatsApp(t *testing.T) {
	for _, c := range []struct{ name, in, html string }{
		{"plain", "hello\nworld", ""},
		{"escaped", "<b>&*x*", "&lt;b&gt;&amp;<strong>x</strong>"},
		{"no tag", "a < b & c > d", ""},
		{"marks", "*a* _b_ ~c~ `d`", "<strong>a</strong> <em>b</em> <del>c</del> <code>d</code>"},
		{"nested", "*a _b_*", "<strong>a <em>b</em></strong>"},
		{"no marks in code", "`a *b*`", "<code>a *b*</code>"},
		{"in words", "a*b*c snake_case_x 2 * 3 * 4", ""},
		{"doubled", "**a** __b__", ""},
		{"not over lines", "*a\nb*", ""},
		{"closes late", "*a *b*", "<strong>a *b</strong>"},
		{"fence", "see\n```go *x*\n<y>```\nend *z*", "see<pre><code>go *x*\n&lt;y&gt;</code></pre>end <strong>z</strong>"},
		{"open fence", "``` a", ""},
		{"list", "do:\n- a\n* *b*\nend", "do:<ul><li>a</li><li><strong>b</strong></li></ul>end"},
		{"numbers", "1. a\n2. b\n5. c", `<ol start="1"><li>a</li><li>b</li></ol><ol start="5"><li>c</li></ol>`},
		{"quote", "> a\n> b\nc\nd", "<blockquote>a<br>b</blockquote>c<br>d"},
		{"address", "https://x.org/_a_ _b_", "https://x.org/_a_ <em>b</em>"},
		{"W14: address without a scheme", "example.org/_x_ www.example.org/_a_/b _c_", "example.org/_x_ www.example.org/_a_/b <em>c</em>"},
		{"W14: marks around an address", "_see https://x.org/_a_/b_ *https://e.org/a*", "<em>see https://x.org/_a_/b</em> <strong>https://e.org/a</strong>"},
		{"W14: no address", "and/or _x_/_y_ e.g. a.b/_c_", "and/or <em>x</em>/<em>y</em> e.g. a.b/<em>c</em>"},
		{"hebrew", "*שלום* רב", "<strong>שלום</strong> רב"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := FromWhatsApp(c.in)
			if w.HTML != c.html {
				t.Errorf("got  %q\nwant %q", w.HTML, c.html)
			}
			if w.Plain != c.in {
				t.Errorf("plain %q", w.Plain)
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

// allowed are the tags FromWhatsApp writes.
var allowed = map[string]bool{"strong": true, "em": true, "del": true, "code": true, "pre": true, "ul": true, "ol": true, "li": true, "blockquote": true, "br": true}

// checkFromWhatsApp: the HTML has the allowed tags only, is closed properly, and
// says nothing that was not written.
func checkFromWhatsApp(t interface{ Errorf(string, ...any) }, in string) {
	w := FromWhatsApp(in)
	if w.HTML == "" {
		return
	}
	z := html.NewTokenizer(strings.NewReader(w.HTML))
	var open []string
	var words strings.Builder
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("left open %v in %q", open, w.HTML)
			}
			if a, b := letters(words.String()), letters(in); !subsequence(a, b) {
				t.Errorf("words %q are not in %q", a, b)
			}
			return
		case html.TextToken:
			words.WriteString(html.UnescapeString(string(z.Raw())))
		case html.StartTagToken:
			name, _ := z.TagName()
			if !allowed[string(name)] {
				t.Errorf("tag %s in %q", name, w.HTML)
			}
			if string(name) != "br" {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Errorf("</%s> closes %v in %q", name, open, w.HTML)
				return
			}
			open = open[:len(open)-1]
		}
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

func FuzzFromWhatsApp(f *testing.F) {
	for _, s := range []string{"*a _b_* `c`", "```x```", "> a\n- b\n1. c", "\x00\xff<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkFromWhatsApp(t, s) })
}

func FuzzForWhatsApp(f *testing.F) {
	for _, s := range []string{"<b>a</b>", "<ul><li>a<pre>b</pre></li></ul>", "<table><tr><td>a", `<a href="https://x">y</a>`, "<blockquote><ol start=9><li>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ForWhatsApp(map[string]any{"body": s, "format": "org.matrix.custom.html", "formatted_body": s})
	})
}
