package markup

import (
	"strings"
	"unicode"
)

// Unseen reports whether a character shows nothing and takes no place: direction
// marks, joiners, variation selectors, control characters but line breaks and tabs.
func Unseen(r rune) bool {
	switch {
	case r == '\n' || r == '\r' || r == '\t':
		return false
	case r == '\u034f', r == '\u115f', r == '\u1160', r == '\u17b4', r == '\u17b5', r == '\u3164', r == '\uffa0':
		return true // fillers that count as letters or marks
	}
	return unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector)
}

// Blank reports whether a character shows nothing but takes a place, such as all the
// spaces of Unicode.
func Blank(r rune) bool { return unicode.IsSpace(r) || r == '\u2800' }

// Empty reports whether nothing of a text can be seen.
func Empty(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !Unseen(r) && !Blank(r) })
}
