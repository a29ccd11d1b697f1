package markup

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"
)

func tag(part, of int) string {
	if of == 1 {
		return "*#12* "
	}
	return fmt.Sprintf("*#12* (%d/%d) ", part, of)
}

func TestSplit(t *testing.T) {
	w := func(n int) string { return strings.Repeat("word ", n/5-1) + "wor." } // n units
	for _, c := range []struct {
		name, in string
		limit    int
		want     []string
	}{
		{"fits", "hello", 50, []string{"*#12* hello"}},
		{"empty", " \n", 50, []string{"*#12* "}},
		{"exactly", strings.Repeat("a", 44), 50, []string{"*#12* " + strings.Repeat("a", 44)}},
		{"paragraph", w(25) + "\n\n" + w(25), 50, []string{tag(1, 2) + w(25), tag(2, 2) + w(25)}},
		{"paragraph before line", "aaaa aaaa\n\nbbbb\nbbbb bbbb bbbb bbbb bbbb", 42, []string{tag(1, 2) + "aaaa aaaa", tag(2, 2) + "bbbb\nbbbb bbbb bbbb bbbb bbbb"}},
		{"sentence", "One two three. Four five six. Seven eight nine ten.", 50, []string{tag(1, 2) + "One two three. Four five six.", tag(2, 2) + "Seven eight nine ten."}},
		{"word", "aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb ccccccccccc", 50, []string{tag(1, 2) + "aaaaaaaaaaaaaaaaaaaaaaaaa", tag(2, 2) + "bbbbbbbbbbbbbbbb ccccccccccc"}},
		{"mark stays whole", "aaaa aaaa aaaa *bbbb bbbb bbbb bbbb* cccc", 46, []string{tag(1, 2) + "aaaa aaaa aaaa", tag(2, 2) + "*bbbb bbbb bbbb bbbb* cccc"}},
		{"long mark is reopened", "*aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaaa*", 50, []string{tag(1, 2) + "*aaaa aaaa aaaa aaaa aaaa aaaa aaaa*", tag(2, 2) + "*aaaa aaaa*"}},
		{"long fence is reopened", "```line one\n  line two\n  line three\n line four```", 50, []string{tag(1, 2) + "```line one\n  line two```", tag(2, 2) + "```  line three\n line four```"}},
		{"chinese", strings.Repeat("字", 45), 50, []string{tag(1, 2) + strings.Repeat("字", 38), tag(2, 2) + strings.Repeat("字", 7)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Split(c.in, tag, c.limit)
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// More parts need longer prefixes, which may need more parts.
func TestSplitManyParts(t *testing.T) {
	parts := Split(strings.Repeat("hello world ", 4000), tag, 100)
	for i, p := range parts {
		if !strings.HasPrefix(p, tag(i+1, len(parts))) || units(p) > 100 {
			t.Fatalf("part %d of %d: %q", i+1, len(parts), p)
		}
	}
}

// checkSplit: every part is within the limit and has its prefix, no character is
// lost or added but blanks and signs at cuts, and no cluster is cut.
func checkSplit(t interface{ Errorf(string, ...any) }, in string, limit int) {
	parts := Split(in, tag, limit)
	var all strings.Builder
	clusters := map[string]bool{}
	for g := uniseg.NewGraphemes(clean(in)); g.Next(); {
		clusters[g.Str()] = true
	}
	for i, p := range parts {
		rest, ok := strings.CutPrefix(p, tag(i+1, len(parts)))
		if !ok {
			t.Errorf("part %d of %d has no prefix: %q", i+1, len(parts), p)
		}
		if n := len(utf16.Encode([]rune(p))); n > limit {
			t.Errorf("part %d has %d units: %q", i+1, n, p)
		}
		all.WriteString(rest)
		for g := uniseg.NewGraphemes(rest); g.Next(); {
			if c := g.Str(); !clusters[c] && units(c) > 1 && units(c) < limit/2 && !strings.ContainsAny(c, "*_~`") {
				t.Errorf("cluster %q was cut", c)
			}
		}
	}
	if a, b := words(all.String()), words(clean(in)); a != b {
		t.Errorf("%q\nbecame %q", b, a)
	}
}

// words are a text without blanks and signs.
func words(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("*_~`", r) {
			return -1
		}
		return r
	}, s)
}

var pieces = []string{"a", "word", "Sentence one. ", " ", "\n", "\n\n", "*bold text*", "_i_", "`co de`", "```\nfence\n  more\n```", "*", "_", "`", "```",
	"👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "שלום עולם", "مرحبا ", "字字字。", "é", "e\u0301\u0302", "क्षि", "\u200f", "https://example.org/a/b_c_d", "\r\n", "\x00", "*a very long bold text with _more in it_ than fits*"}

func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 120).Draw(t, "pieces"), "")
		checkSplit(t, in, rapid.IntRange(60, 1500).Draw(t, "limit"))
	})
}

// Marks that fit into one part are never cut.
func TestSplitKeepsMarks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"word ", "*bold text* ", "`some code` ", "_x y z_. ", "\n\n"}), 0, 200).Draw(t, "pieces"), "")
		for _, p := range Split(in, tag, rapid.IntRange(80, 300).Draw(t, "limit")) {
			if strings.Count(p, "*")%2+strings.Count(p, "`")%2+strings.Count(p, "_")%2 > 0 {
				t.Errorf("a mark was cut: %q", p)
			}
		}
		if got := strings.Count(strings.Join(Split(in, tag, 80), ""), "*bold text*"); got != strings.Count(in, "*bold text*") {
			t.Errorf("%d marks left", got)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for i, p := range pieces {
		f.Add(strings.Repeat(p, 40), 60+i)
	}
	f.Fuzz(func(t *testing.T, in string, limit int) {
		if limit >= 60 && limit <= 1600 && len(in) < 1<<14 {
			checkSplit(t, in, limit)
		}
	})
}
