package text

import (
	"strings"
	"unicode"
)

// maxName is the length of a name in characters.
const maxName = 60

// Name makes a display name fit to stand before somebody's words: one line, and
// without signs with which a name could look like another speaker.
func Name(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '*' || r == '(' || r == ')' || r == ':' || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
	return Shorten(strings.Join(strings.Fields(s), " "), maxName)
}

// Excerpt is the first line of a text, at most n characters long.
func Excerpt(s string, n int) string {
	s, _, cut := strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n])) + "…"
	}
	if cut {
		return s + " …"
	}
	return s
}

// Shorten keeps the first n characters of a text.
func Shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n])) + "…"
	}
	return s
}
