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
// number and more words could be meant either way, and so could what only looks like a
// command: nobody means that for an asker, but which command it is would be a guess.
var (
	agentWord = regexp.MustCompile(`^/?(list|take|pass|done|status|help|menu|\?+)(?:\s*#?\s*(\d{1,18}))?(\s*\?+)?$`)
	likeWord  = []*regexp.Regexp{
		regexp.MustCompile(`^(?:` + own + `\b|\?+)(?:[\s:,;–—-]+#?\s*\d|[\s\S]*#\s*\d)`),   // done, 2 thanks · done, thanks #2
		regexp.MustCompile(`^/?` + own + `#?\d`),                                           // done2 thanks
		regexp.MustCompile(`^` + own + `\s+(?:` + asNumber + `|with|for|on|over)\s*#?\d`),  // done with 2
		regexp.MustCompile(`^(?:` + asNumber + `)?\s*\d{1,18}[\s:.,;)\]–—-]*` + own + `$`), // 2: done
		regexp.MustCompile(`^(?:` + others + `)(?:\s*#?\s*\d|$)`),                          // close 2
		regexp.MustCompile(`^/(?:` + own + `|` + others + `)\b`),                           // /done thanks
		regexp.MustCompile(`^/\pL+(?:\s*#?\s*\d{1,18})?$`),                                 // /assign
	}
	// likeTag is a number in front that lacks its sign. Neither 12:30 nor 2-3 is one.
	likeTag  = regexp.MustCompile(`^(?:\d{1,18}[\s)\]*_~]*:|(?:` + asNumber + `)\s*\d{1,18}[\s)\]*_~]*[:,;–—-])(?:\D|$)`)
	greeting = regexp.MustCompile(`^[^\pL\pN]*(?:hi|hello|hey|hallo)[^\pL\pN]*$`)
)

const (
	own      = `(?:list|take|pass|done|status|help|menu)`
	others   = `close|release|reopen` // words of staff in Matrix for the same
	asNumber = `n[ro]\.?|n[°º]|№|num(?:ber)?|request`
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

// spelled reads an agent word. unsure: it has a number and more words, or is like a
// command in another way.
func (d *Desk) spelled(body string) (verb Verb, number int64, unsure bool) {
	if _, ready := d.ready(body); ready {
		return "", 0, false // an answer
	}
	s := folded(body)
	m := agentWord.FindStringSubmatch(s)
	if m == nil {
		return "", 0, d.commands(body) || slices.ContainsFunc(likeWord, func(r *regexp.Regexp) bool { return r.MatchString(s) })
	}
	number, _ = strconv.ParseInt(m[2], 10, 64)
	switch verb = Verb(m[1]); verb {
	case Takes, Passes, Closes:
		return verb, number, m[2] != "" && number == 0 || m[3] != ""
	case Statuses:
		return verb, number, m[2] != "" && number == 0 || m[3] != "" // "status?" may be for the asker
	case Lists:
		return verb, number, m[2] != "" && number == 0
	}
	return Helps, 0, false
}

// commands reports whether a message begins like a command in Matrix.
func (d *Desk) commands(body string) bool {
	first, _, _ := strings.Cut(strings.Map(func(r rune) rune {
		switch {
		case markup.Unseen(r):
			return -1
		case markup.Blank(r):
			return ' '
		}
		return r
	}, body), " ")
	return d.Prefix != "" && strings.EqualFold(first, d.Prefix)
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
