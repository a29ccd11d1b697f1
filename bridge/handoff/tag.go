package handoff

import (
	"slices"
	"strings"
	"unicode"

	"lanekeeper/bridge/markup"
)

// head is the number that a message begins with, as in "#12 yes" or "*#12*: yes".
type head struct {
	number int64
	rest   string // the words behind it
	// unsure: there is something like a number, and it cannot be read for sure. Whoever
	// wrote it meant a handoff, so the words must reach no other one.
	unsure bool
}

// longest bounds the digits of a number, so that it fits.
const longest = 18

// leading reads the number at the beginning of a message; number is 0 and unsure
// false if there is none. Phones put all kinds of blanks, invisible signs, brackets,
// marks and forms around it. What is plainly a number is read; what only looks like
// one is unsure.
func leading(body string) head {
	before, number, after, ok := cutNumber([]rune(body))
	if !ok {
		return head{rest: body}
	}
	n, sure := value(number)
	open, clean := opened(before)
	closed, ended, rest := closing(after, open)
	if !sure || !clean || !ended && !ends(rest) {
		return head{number: n, rest: body, unsure: true}
	}
	rest = trimmed(rest)
	if second := leading(string(rest)); second.unsure || second.number != 0 && second.number != n {
		return head{number: n, rest: body, unsure: true} // two of them
	}
	words := string(open[:len(open)-closed]) + string(rest)
	return head{number: n, rest: strings.TrimSpace(words)}
}

// cutNumber parts a text at the first sign for a number, if no word stands before
// that, and none between it and digits.
func cutNumber(s []rune) (before, number, after []rune, ok bool) {
	from := slices.IndexFunc(s, func(r rune) bool { return isHash(r) || wordy(r) })
	if from < 0 || !isHash(s[from]) {
		return nil, nil, nil, false
	}
	at := from + 1
	for at < len(s) && !wordy(s[at]) {
		at++
	}
	if at == len(s) || !unicode.IsNumber(s[at]) {
		return nil, nil, nil, false
	}
	for at < len(s) && (unicode.IsNumber(s[at]) || hidden(s[at])) {
		at++
	}
	return s[:from], s[from:at], s[at:], true
}

// wordy reports whether a character is of a word, or a digit.
func wordy(r rune) bool { return !markup.Unseen(r) && (unicode.IsLetter(r) || unicode.IsNumber(r)) }

// value is the number that a sign and digits spell. It is sure if the sign is the
// common one, stands alone, and nothing that can be seen stands between them.
func value(number []rune) (n int64, sure bool) {
	sure = sign(number[0])
	digits := 0
	for _, r := range number[1:] {
		d, ok := digit(r)
		switch {
		case ok && digits < longest:
			n, digits = n*10+d, digits+1
		case hidden(r):
		default:
			sure = false
		}
	}
	return n, sure && digits > 0 && n > 0
}

// opened are the brackets and marks before a number; clean says that nothing else
// stands there that can be seen.
func opened(before []rune) (open []rune, clean bool) {
	for _, r := range before {
		switch {
		case markup.Unseen(r) || markup.Blank(r):
		case isMark(r) || unicode.In(r, unicode.Ps, unicode.Pi) || r == '"' || r == '\'':
			open = append(open, r)
		default:
			return nil, false
		}
	}
	return open, true
}

// closing takes off what closes the brackets and marks before a number, if it
// stands right behind it. ended: a bracket does, so the number is whole.
func closing(after, open []rune) (closed int, ended bool, rest []rune) {
	for rest = after; len(rest) > 0; rest = rest[1:] {
		r := rest[0]
		bracket := unicode.In(r, unicode.Pe, unicode.Pf)
		switch {
		case closed < len(open) && (bracket || isMark(r) || r == '"' || r == '\''):
			closed, ended = closed+1, ended || bracket
		case !markup.Unseen(r):
			return closed, ended, rest
		}
	}
	return closed, true, rest
}

// ends reports whether a number is whole where this follows it: not when a letter,
// a digit, or a sign that could belong to it stands there.
func ends(rest []rune) bool {
	if len(rest) == 0 || markup.Blank(rest[0]) {
		return true
	}
	r := rest[0]
	switch {
	case parts(r):
		next := slices.IndexFunc(rest[1:], func(r rune) bool { return !markup.Unseen(r) && !parts(r) })
		return next < 0 || !unicode.IsNumber(rest[1+next])
	case isMark(r):
		return false
	}
	return unicode.In(r, unicode.So, unicode.Sk) // an emoji
}

// parts reports whether a character parts a number from words.
func parts(r rune) bool {
	return strings.ContainsRune(":,.;–—-、。，．：；", r) || unicode.In(r, unicode.Pe, unicode.Pf)
}

// trimmed takes off what stands between a number and the words.
func trimmed(rest []rune) []rune {
	from := slices.IndexFunc(rest, func(r rune) bool { return !markup.Blank(r) && !markup.Unseen(r) && !parts(r) })
	if from < 0 {
		return nil
	}
	return rest[from:]
}

// keycap makes keys of digits: 2️⃣.
const keycap = '\u20e3'

// hidden reports whether a character between a sign and digits changes nothing.
func hidden(r rune) bool { return markup.Unseen(r) || r == keycap }

// isMark reports whether a character is one of WhatsApp's marks.
func isMark(r rune) bool { return strings.ContainsRune("*_~`", r) }

// isHash reports whether a character can stand for "number".
func isHash(r rune) bool { return sign(r) || strings.ContainsRune("♯⋕⌗", r) }

// sign reports whether it does.
func sign(r rune) bool { return r == '#' || r == '＃' || r == '﹟' }

// digit is the value of a decimal digit of any script. The digits of a script stand
// together, in tens.
func digit(r rune) (int64, bool) {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int64(r-rune(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int64(r-rune(t.Lo)) % 10, true
		}
	}
	return 0, false
}
