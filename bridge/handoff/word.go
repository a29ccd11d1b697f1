package handoff

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"lanekeeper/bridge/markup"
)

// Agent words: a whole message, with a number or without. What has one of them, a
// number and more words could be meant either way.
var (
	agentWord  = regexp.MustCompile(`^(list|take|pass|done|help|\?+)(?:\s*#?\s*(\d{1,18}))?$`)
	wordTo     = regexp.MustCompile(`^(?:(?:list|take|pass|done|help)\b|\?+)(?:[\s:,;–—-]+#?\s*\d|[\s\S]*#\s*\d)`)
	wordIsHelp = regexp.MustCompile(`^(?:help|\?+)$`)
)

// folded is a message as agent words are compared: without what cannot be seen,
// marks and the end of a sentence around it, in common forms and small letters.
func folded(body string) string {
	s := strings.Map(func(r rune) rune {
		if d, ok := digit(r); ok {
			return rune('0' + d)
		}
		switch {
		case markup.Unseen(r):
			return -1
		case markup.Blank(r):
			return ' '
		case '！' <= r && r <= '～': // full-width forms
			r -= '！' - '!'
		}
		return unicode.ToLower(r)
	}, body)
	return strings.Trim(s, " *_~`\"'“”()[].!。")
}

// spelled reads an agent word. unsure: it has a number and more words.
func spelled(body string) (verb Verb, number int64, unsure bool) {
	s := folded(body)
	m := agentWord.FindStringSubmatch(s)
	switch {
	case m == nil:
		return "", 0, wordTo.MatchString(s)
	case wordIsHelp.MatchString(m[1]):
		return Helps, 0, false
	}
	number, _ = strconv.ParseInt(m[2], 10, 64)
	return Verb(m[1]), number, m[2] != "" && number == 0
}

// fits finds the one handoff that an agent word without a number can mean; 0 if
// there is none, or several.
func (d *Desk) fits(in Incoming, known []Known, verb Verb) int64 {
	owned, free := d.candidates(in.Phone, known)
	fit := append(slices.Clone(owned), free...)
	switch {
	case verb == Takes:
		fit = free
		if len(fit) == 0 { // announced by a template, which shows no words
			fit = d.unread(in.Phone, known)
		}
	case verb == Closes && len(owned) > 0 && !in.Listed: // who answers one is done with that
		fit = owned
	}
	if len(fit) != 1 {
		return 0
	}
	return fit[0].Number
}

// unread are the handoffs that nobody owns and that an agent has read nothing of yet.
func (d *Desk) unread(phone string, known []Known) (out []Known) {
	for _, k := range known {
		if k.Reaches() && k.State == Open && !k.Sent && !slices.Contains(k.Passed, phone) {
			out = append(out, k)
		}
	}
	return out
}
