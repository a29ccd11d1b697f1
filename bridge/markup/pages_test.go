package markup

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// Long words of people reach readers whole: nothing of them is lost, their order is
// kept, every part fits, and nothing in them ends the quote that they stand in.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SampledFrom([]string{"word", " ", "\n", "\n\n", "</blockquote><b>", "\"", "```", "`", "&amp;", "日本語", "🙋🏽", "> ", "\t", strings.Repeat("x", 90)})
		words := strings.Join(rapid.SliceOfN(bits, 0, 60).Draw(t, "words"), "")
		limit := rapid.IntRange(150, 700).Draw(t, "limit")
		show := func(w Words) Words {
			q := Quote(w)
			return Words{Plain: "**Carl:** " + q.Plain, HTML: "<strong>Carl:</strong>" + q.HTML}
		}
		rest := words
		for i, page := range Pages(Words{Plain: words}, show, limit) {
			if i > 0 && (rest[0] == '\n' || rest[0] == ' ') { // the one that a cut drops
				rest = rest[1:]
			}
			if !strings.HasPrefix(rest, page.Plain) {
				t.Fatalf("part %d is %q, but %q comes next", i, page.Plain, rest)
			}
			rest = rest[len(page.Plain):]
			w := show(page)
			if size := jsonSize(w.Plain) + jsonSize(w.HTML); size > limit {
				t.Fatalf("part %d takes %d bytes, not %d", i, size, limit)
			}
			nodes, err := html.Parse(strings.NewReader(w.HTML))
			if err != nil {
				t.Fatal(err)
			}
			if body := nodes.FirstChild.LastChild; body.LastChild != nil && page.Plain != "" && body.LastChild.Data != "blockquote" {
				t.Fatalf("part %d ends its quote: %s", i, w.HTML)
			}
			for _, line := range strings.Split(w.Plain, "\n")[1:] {
				if !strings.HasPrefix(line, "> ") {
					t.Fatalf("part %d has a line out of the quote: %q", i, line)
				}
			}
		}
		if rest != "" && rest != "\n" && rest != " " {
			t.Fatalf("lost: %q", rest)
		}
	})
}

// Pages end where lines do, else where words do.
func TestPagesEndWithLines(t *testing.T) {
	same := func(w Words) Words { return w }
	for words, want := range map[string]string{"one two\nthree": "one two|three", "one two three": "one two|three", "onetwothree": "onetwoth|ree", "short": "short"} {
		var got []string
		for _, p := range Pages(Words{Plain: words}, same, 8) {
			got = append(got, p.Plain)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%q becomes %q", words, s)
		}
	}
}
