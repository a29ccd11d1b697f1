package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// style is what a character looks like; the bits can be combined.
type style uint8

const (
	bold style = 1 << iota
	italic
	strike
	code // inline code: no other mark counts inside
)

// marks are WhatsApp's signs for the styles, outermost first
// (https://faq.whatsapp.com/539178204879377).
var marks = []struct {
	style style
	sign  rune
}{{bold, '*'}, {italic, '_'}, {strike, '~'}, {code, '`'}}

// fence encloses a block of code; it may span lines, all other marks may not.
const fence = "```"

// wordJoiner is invisible. Around a sign that somebody typed it keeps WhatsApp
// from reading the sign as a mark: no blank stands before it any more, nor a
// letter behind it.
const wordJoiner = '\u2060'

// cell is one character on its way to WhatsApp.
type cell struct {
	r     rune
	style style
	raw   bool // part of the layout (fences, "> ", "- "): never neutralised
}

// render writes cells in WhatsApp's markup. Marks never span lines, hug words
// and stand at word boundaries, as WhatsApp shows nothing else as a mark; where
// that cannot be had the style is dropped. Signs in the words themselves are
// neutralised.
func render(cells []cell) string {
	var out strings.Builder
	for i, line := range lines(cells) {
		if i > 0 {
			out.WriteByte('\n')
		}
		keepAddresses(line)
		hug(line, code)
		plainCode(line)
		for _, m := range marks[:3] {
			hug(line, m.style)
		}
		noTag(line)
		uncross(line)
		writeLine(&out, line)
	}
	return out.String()
}

// lines splits cells at newlines; the parts share their memory.
func lines(cells []cell) [][]cell {
	var all [][]cell
	for start, i := 0, 0; ; i++ {
		if i == len(cells) || cells[i].r == '\n' {
			all = append(all, cells[start:i])
			start = i + 1
		}
		if i == len(cells) {
			return all
		}
	}
}

// runs calls f with the bounds of every longest run of cells that have the style.
func runs(line []cell, s style, f func(start, end int)) {
	for i := 0; i < len(line); i++ {
		if line[i].style&s == 0 {
			continue
		}
		start := i
		for i < len(line) && line[i].style&s != 0 {
			i++
		}
		f(start, i)
	}
}

// hug takes the style from blanks at the ends of its runs, and from runs that
// do not begin and end at word boundaries or hold their own sign as code.
func hug(line []cell, s style) {
	runs(line, s, func(start, end int) {
		from, to := start, end
		for from < to && unicode.IsSpace(line[from].r) {
			from++
		}
		for to > from && unicode.IsSpace(line[to-1].r) {
			to--
		}
		clearStyle(line[start:from], s)
		clearStyle(line[to:end], s)
		inWord := from > 0 && clings(line[from-1].r, s) || to < len(line) && clings(line[to].r, s)
		if inWord || s == code && holds(line[from:to], '`') {
			clearStyle(line[from:to], s)
		}
	})
}

// clings reports whether a mark would not count next to this character.
func clings(r rune, s style) bool { return isWord(r) || styleOf(r) == s || s == code && r == '`' }

// plainCode takes from code the styles that do not hold for all of it: WhatsApp
// reads no marks in code.
func plainCode(line []cell) {
	runs(line, code, func(start, end int) {
		all := bold | italic | strike
		for _, c := range line[start:end] {
			all &= c.style
		}
		clearStyle(line[start:end], (bold|italic|strike)&^all)
	})
}

// keepAddresses exempts web addresses from neutralising: the signs in them are no
// marks, and a changed address leads nowhere. No mark stands at one either: it would
// be taken for a part of it.
func keepAddresses(line []cell) {
	var text strings.Builder
	for _, c := range line {
		text.WriteRune(c.r)
	}
	s := text.String()
	at, pos := 0, 0 // the same place in cells and in bytes
	for _, a := range addresses(s) {
		at += utf8.RuneCountInString(s[pos:a[0]])
		for range utf8.RuneCountInString(s[a[0]:a[1]]) {
			line[at].raw, line[at].style = true, line[at].style&code
			at++
		}
		pos = a[1]
	}
}

// uncross drops the later of two runs that overlap without one holding the
// other: marks can only be nested.
func uncross(line []cell) {
	for _, outer := range marks {
		runs(line, outer.style, func(start, end int) {
			if end == len(line) {
				return
			}
			for _, m := range marks { // only a run over the end can cross
				if m.style == outer.style || line[end-1].style&line[end].style&m.style == 0 {
					continue
				}
				from, to := end, end
				for from > 0 && line[from-1].style&m.style != 0 {
					from--
				}
				for to < len(line) && line[to].style&m.style != 0 {
					to++
				}
				if from > start {
					clearStyle(line[from:to], m.style)
				}
			}
		})
	}
}

// noTag takes bold from words that begin a line like our own "*#12*": nobody
// shall write a line that looks as if it belonged to another handoff, whatever
// shows nothing before the number, or which sign and digits they take for it.
func noTag(line []cell) {
	sign := skip(line, 0)
	if sign == len(line) || !strings.ContainsRune("#＃﹟♯⋕⌗№", line[sign].r) {
		return
	}
	number := skip(line, sign+1)
	if number == len(line) || !unicode.IsNumber(line[number].r) {
		return
	}
	for i := sign; i < len(line) && line[i].style&bold != 0; i++ {
		line[i].style &^= bold
	}
}

// skip is the first place from one on where something of its own stands.
func skip(line []cell, i int) int {
	for i < len(line) && (Unseen(line[i].r) || Blank(line[i].r) || unicode.IsMark(line[i].r)) {
		i++
	}
	return i
}

func clearStyle(cells []cell, s style) {
	for i := range cells {
		cells[i].style &^= s
	}
}

func holds(cells []cell, r rune) bool {
	for _, c := range cells {
		if c.r == r {
			return true
		}
	}
	return false
}

// writeLine writes one line whose styles are nested. Of marks that begin at the
// same place the one that ends last is opened first.
func writeLine(out *strings.Builder, line []cell) {
	var open []int // indexes into marks, innermost last
	for i := 0; i <= len(line); i++ {
		var now style
		if i < len(line) {
			now = line[i].style
		}
		for len(open) > 0 && now&marks[open[len(open)-1]].style == 0 {
			out.WriteRune(marks[open[len(open)-1]].sign)
			open = open[:len(open)-1]
		}
		if i == len(line) {
			return
		}
		for _, m := range opening(line, i) {
			out.WriteRune(marks[m].sign)
			open = append(open, m)
		}
		if readAsMark(line, i) {
			out.WriteRune(wordJoiner)
			out.WriteRune(line[i].r)
			if i+1 < len(line) && line[i+1].style == now { // else it would spoil the mark that follows
				out.WriteRune(wordJoiner)
			}
		} else {
			out.WriteRune(line[i].r)
		}
	}
}

// opening lists the marks whose runs begin at i, the longest run first.
func opening(line []cell, i int) []int {
	var begin, ends []int
	for m := range marks {
		s := marks[m].style
		if line[i].style&s == 0 || i > 0 && line[i-1].style&s != 0 {
			continue
		}
		end := i
		for end < len(line) && line[end].style&s != 0 {
			end++
		}
		at := len(ends)
		for at > 0 && ends[at-1] < end {
			at--
		}
		begin = append(begin[:at], append([]int{m}, begin[at:]...)...)
		ends = append(ends[:at], append([]int{end}, ends[at:]...)...)
	}
	return begin
}

// readAsMark reports whether WhatsApp could take a sign in the words for a mark:
// it could open one, whatever stands behind these words in the end, or close the
// one it stands in. Backticks are left: code is shown as typed.
func readAsMark(line []cell, i int) bool {
	c := line[i]
	s := styleOf(c.r)
	if s == 0 || c.raw || c.style&code != 0 {
		return false
	}
	if c.style&s != 0 {
		return true
	}
	afterWord := i > 0 && isWord(line[i-1].r)
	beforeBlank := i+1 < len(line) && unicode.IsSpace(line[i+1].r)
	return !afterWord && !beforeBlank
}

// styleOf gives the style a sign stands for; 0 for backticks and all else.
func styleOf(r rune) style {
	for _, m := range marks {
		if m.sign == r && m.style != code {
			return m.style
		}
	}
	return 0
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// clean drops what has no business in a message: control characters except
// newline and tab (a NUL breaks PostgreSQL), and broken UTF-8.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029': // some clients begin a new line there
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, s)
}
