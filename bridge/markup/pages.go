package markup

import (
	"sort"
	"strings"
)

// Pages cuts somebody's words into parts of which each, as it is shown, takes at most
// limit bytes of JSON: at the ends of lines, else between words, else between
// characters. What fits is one part, and keeps its looks; the others are plain. The
// line end or the blank at a cut is dropped, nothing else is.
func Pages(w Words, show func(Words) Words, limit int) []Words {
	fits := func(w Words) bool {
		shown := show(w)
		return jsonSize(shown.Plain)+jsonSize(shown.HTML) <= limit
	}
	if fits(w) {
		return []Words{w}
	}
	var pages []Words
	rest := []rune(w.Plain)
	for {
		page := func(n int) Words { return Words{Plain: string(rest[:n])} }
		if fits(page(len(rest))) {
			return append(pages, page(len(rest)))
		}
		n := max(1, sort.Search(len(rest), func(n int) bool { return !fits(page(n + 1)) }))
		at := string(rest[:n])
		if rest[n] != '\n' { // else the cut is at the end of a line already
			if i := strings.LastIndexAny(at, "\n"); i > 0 {
				n = len([]rune(at[:i]))
			} else if i := strings.LastIndexAny(at, " "); i > 0 && rest[n] != ' ' {
				n = len([]rune(at[:i]))
			}
		}
		for n > 1 && !fits(page(n)) { // marks that end in a part may make it longer
			n /= 2
		}
		pages = append(pages, page(n))
		rest = rest[n:]
		if rest[0] == '\n' || rest[0] == ' ' {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return pages
		}
	}
}
