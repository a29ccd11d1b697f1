package markup

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// WhatsAppLimit is how long a message may be, in UTF-16 units and with its
// prefix. Twilio refuses more than 1600 characters (error 21617) and counts
// some emoji more than once, hence the distance.
const WhatsAppLimit = 1500

// Split cuts WhatsApp markup into parts of at most limit UTF-16 units, each with
// its prefix (part counts from 1 to of; a text that fits is part 1 of 1). It cuts
// between paragraphs, else lines, sentences, words, and never inside a grapheme
// cluster. Marks and code are kept whole where they fit into one part; longer
// ones are closed at the cut and opened again after it. Blanks at a cut are
// dropped, nothing else is. The limit must leave room for some words beside the
// prefix; where it does not, parts are longer.
func Split(text string, prefix func(part, of int) string, limit int) []string {
	return split(text, prefix, limit, false)
}

// SplitSaid is Split for words of people as Said gives them: what goes on in the
// middle of a line in the next part is quoted there, too.
func SplitSaid(text string, prefix func(part, of int) string, limit int) []string {
	return split(text, prefix, limit, true)
}

func split(text string, prefix func(part, of int) string, limit int, said bool) []string {
	text = strings.TrimRightFunc(clean(text), unicode.IsSpace)
	reserve := 0
	for {
		parts := cut(text, max(limit-reserve, minRoom), said)
		longest := 0
		for i := range parts {
			longest = max(longest, units(prefix(i+1, len(parts))))
		}
		if longest > reserve {
			reserve = longest
			continue
		}
		for i := range parts {
			parts[i] = prefix(i+1, len(parts)) + parts[i]
		}
		return parts
	}
}

// minRoom is the least number of units a part has for words: one character with
// room for marks that are closed and opened again.
const minRoom = 16

// units is the length in UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// rank is how good a place is for a cut.
type rank int

const (
	never rank = iota
	atCluster
	atBreak // a line may be broken here (UAX #14), as between CJK characters
	atWord
	atSentence
	atLine
	atParagraph
)

// cut cuts a text into parts of at most room units.
func cut(text string, room int, said bool) []string {
	all := spans(text)
	var parts []string
	for at := 0; ; {
		opened, _ := around(all, at)
		lead := ""
		if said && midLine(text, at) {
			lead = quoteSign
		}
		end := nextCut(text, all, at, room-units(lead))
		closed := ""
		if end < len(text) {
			_, closed = around(all, end)
		}
		words := strings.TrimRightFunc(text[at:end], unicode.IsSpace)
		if words != "" || end == len(text) {
			parts = append(parts, lead+opened+words+closed)
		}
		if end == len(text) {
			return parts
		}
		at = end + blanks(text[end:], text[end-1] == '\n')
		all = slices.DeleteFunc(all, func(s span) bool { return s.end <= at })
	}
}

// midLine reports whether something stands before a place on its line.
func midLine(text string, at int) bool {
	line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	return strings.TrimSpace(line) != ""
}

// blanks is the length of the blanks at the start of a part that are dropped:
// all but the indentation of a line.
func blanks(s string, newLine bool) int {
	n := len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
	if i := strings.LastIndexByte(s[:n], '\n'); i >= 0 {
		return i + 1
	}
	if newLine {
		return 0
	}
	return n
}

// around gives the signs that open and close the marks in whose words a place is.
func around(all []span, at int) (opened, closed string) {
	for _, s := range all {
		if s.start >= at {
			break
		}
		if at >= s.start+len(s.sign) && at <= s.end-len(s.sign) {
			opened, closed = opened+s.sign, s.sign+closed
		}
	}
	return opened, closed
}

// onSign reports whether a cut here would separate a sign from its words.
func onSign(all []span, at int) bool {
	for _, s := range all {
		if s.start >= at {
			break
		}
		if at <= s.start+len(s.sign) || at >= s.end-len(s.sign) && at < s.end {
			return true
		}
	}
	return false
}

// nextCut finds where the part that begins at a place shall end. Good places in
// the first quarter of the room are passed over for lesser ones behind them, so
// that a short first paragraph is no part of its own.
func nextCut(text string, all []span, at, room int) int {
	opened, _ := around(all, at)
	used := units(opened)
	var outside, inside, early [atParagraph + 1]int // last place of each rank
	last, state, rest := 0, -1, text[at:]
	for pos := at; rest != ""; {
		cluster, after, bounds, next := uniseg.StepString(rest, state)
		used += units(cluster)
		if used > room {
			break
		}
		pos, rest, state, last = pos+len(cluster), after, next, pos+len(cluster)
		if rest == "" {
			return len(text)
		}
		_, closed := around(all, pos)
		if onSign(all, pos) || used+units(closed) > room {
			continue
		}
		r := rankOf(text, pos, cluster, bounds)
		switch {
		case closed != "":
			inside[r] = pos
		case used < room/4:
			early[r] = pos
		default:
			outside[r] = pos
		}
	}
	for _, places := range [][atParagraph + 1]int{outside, early, inside} {
		for r := atParagraph; r >= atBreak; r-- {
			if places[r] > at && strings.TrimSpace(text[at:places[r]]) != "" {
				return places[r]
			}
		}
	}
	for _, places := range [][atParagraph + 1]int{outside, inside, early} {
		if places[atCluster] > at {
			return places[atCluster]
		}
	}
	if last > at {
		return last
	}
	return insideCluster(text, at, room-units(opened))
}

func rankOf(text string, pos int, cluster string, bounds int) rank {
	blank := strings.TrimSpace(cluster) == ""
	switch {
	case cluster == "\n" && (text[pos] == '\n' || pos > 1 && text[pos-2] == '\n'):
		return atParagraph
	case cluster == "\n":
		return atLine
	case bounds&uniseg.MaskSentence != 0:
		return atSentence
	case blank:
		return atWord
	case bounds&uniseg.MaskLine == uniseg.LineCanBreak && beyondLatin(cluster):
		return atBreak
	}
	return atCluster
}

// beyondLatin keeps addresses whole: UAX #14 breaks them at slashes and hyphens.
func beyondLatin(cluster string) bool {
	r, _ := utf8.DecodeRuneInString(cluster)
	return r >= 0x2E80
}

// insideCluster cuts a grapheme cluster that is longer than a whole part (letters
// with hundreds of accents), between two characters.
func insideCluster(text string, at, room int) int {
	pos := at
	for i, r := range text[at:] {
		if n := utf16.RuneLen(r); room < n && i > 0 {
			break
		} else {
			room -= n
		}
		pos = at + i + utf8.RuneLen(r)
	}
	return pos
}
