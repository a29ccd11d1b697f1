package handoff

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/text"
)

// Known is what the routing of a message from a phone knows of one handoff. It needs
// no more than two of each that words could be for, see Several, and of what an agent can
// choose from no more than a message lists.
type Known struct {
	*Handoff
	Sent bool // words of it, or that it waits, were sent to this phone
}

// Several is how many are too many to be clear: more of a kind change nothing.
const Several = 2

// Incoming is a message from an agent's phone.
type Incoming struct {
	Phone string
	Body  string
	At    time.Time // when it was written, or came
	// Quotes says that it quotes a message; Quoted is the handoff that one is
	// about, 0 if about none or unknown. QuotesKept: it quotes words that are kept, or
	// the last question for their number.
	Quotes     bool
	Quoted     int64
	QuotesKept bool
	Button     string // payload of the button that was tapped
	// Opening: the 24-hour window was closed before this message.
	Opening bool
	// Listed: found by listing, where Twilio does not tell what was quoted or
	// tapped (https://www.twilio.com/docs/messaging/api/message-resource).
	Listed bool
	File   bool
}

// Verb is what an agent wants.
type Verb string

const (
	Answers  Verb = "answer"
	Lists    Verb = "list"
	Takes    Verb = "take"
	Passes   Verb = "pass"
	Closes   Verb = "done"
	Statuses Verb = "status"
	Helps    Verb = "help"
	Shows    Verb = "show"     // tapped to read what waits
	Opens    Verb = "open"     // woke us without meaning anything in particular
	Unclear  Verb = "which"    // has to say which handoff is meant
	Doubtful Verb = "doubtful" // an agent word with more words, or an answer
	Nothing  Verb = "nothing"  // has nothing open
	Empty    Verb = "empty"    // a reaction or the like: no words
)

// Route is where a message goes. It never holds a guess.
type Route struct {
	Verb    Verb
	Number  int64  // of Answers, Takes, Passes, Closes, Shows
	Words   string // of Answers: without the leading number
	Confirm bool   // others are open, too: say where it went
}

// button is the payload of a button, as a template of ours has it.
var button = regexp.MustCompile(`(?i)^(show|take|pass|done)[:\s]\s*#?(\d{1,18})$`)

// Find routes a message: by the quoted message, by the button, by a leading
// number, to the only open handoff that the agent owns, or, owning none, to the
// only unowned one that was sent to them. What is left has to be asked, and so have
// a quote and a number that contradict each other, and what only looks like a number.
func (d *Desk) Find(in Incoming, known []Known) Route {
	if in.Button != "" {
		return tapped(in.Button)
	}
	body := strings.TrimSpace(in.Body)
	if markup.Empty(body) {
		body = ""
		if !in.File {
			return Route{Verb: Empty}
		}
	}
	verb, word, doubtful := d.spelled(body)
	head := leading(body)
	switch {
	case in.Quoted != 0:
		return quoting(in.Quoted, body, word, head)
	case head.unsure:
		return Route{Verb: Unclear}
	case head.number != 0:
		return Route{Verb: Answers, Number: head.number, Words: head.rest}
	case in.Quotes && in.Opening:
		return Route{Verb: Opens}
	case in.Quotes: // a message that is about nothing, or too old to be known
		return Route{Verb: Unclear}
	case doubtful || verb != "" && in.File:
		return Route{Verb: Doubtful}
	case likeTag.MatchString(folded(body)):
		return Route{Verb: Unclear}
	case verb == Lists || verb == Helps:
		return Route{Verb: verb}
	case verb == Statuses:
		return Route{Verb: verb, Number: word}
	case verb != "" && word == 0:
		if word = d.fits(in, known, verb); word == 0 {
			return Route{Verb: Unclear}
		}
		return Route{Verb: verb, Number: word}
	case verb != "":
		return Route{Verb: verb, Number: word}
	case in.Opening:
		return Route{Verb: Opens}
	}
	return d.only(in, known, body)
}

// quoting routes what quotes a message of a handoff. A number in it, also behind an
// agent word, has to be the same.
func quoting(quoted int64, body string, word int64, head head) Route {
	switch {
	case head.number != 0 && head.number != quoted, head.unsure && head.number == 0, word != 0 && word != quoted:
		return Route{Verb: Unclear}
	case head.number != 0:
		body = head.rest
	}
	return Route{Verb: Answers, Number: quoted, Words: body}
}

// candidates are the handoffs that words without a number can be for: those that the
// agent owns, and those that nobody owns and that were sent to them.
func (d *Desk) candidates(phone string, known []Known) (owned, free []Known) {
	for _, k := range known {
		switch {
		case !k.Reaches() || k.State == Closed:
		case k.State == Taken && d.OwnsByPhone(k.Handoff, phone):
			owned = append(owned, k)
		case k.State == Open && k.Sent && !slices.Contains(k.Passed, phone):
			free = append(free, k)
		}
	}
	return owned, free
}

// only finds the one handoff that words without a number can be for.
func (d *Desk) only(in Incoming, known []Known, body string) Route {
	owned, free := d.candidates(in.Phone, known)
	// A listed message may quote any of them: it is clear only if there is one.
	_, ready := d.ready(body)
	clear := !in.Listed || len(owned)+len(free) == 1
	switch {
	case len(owned) == 0 && len(free) > 0 && !in.File && !ready && greeting.MatchString(folded(body)): // means us: they answer nobody yet
		return Route{Verb: Helps}
	case clear && len(owned) == 1:
		return Route{Verb: Answers, Number: owned[0].Number, Words: body, Confirm: len(free) > 0}
	case clear && len(owned) == 0 && len(free) == 1:
		return Route{Verb: Answers, Number: free[0].Number, Words: body}
	case len(owned)+len(free) == 0:
		return Route{Verb: Nothing}
	}
	return Route{Verb: Unclear}
}

func tapped(payload string) Route {
	m := button.FindStringSubmatch(strings.TrimSpace(payload))
	if m == nil {
		return Route{Verb: Opens}
	}
	n, _ := strconv.ParseInt(m[2], 10, 64)
	return Route{Verb: Verb(strings.ToLower(m[1])), Number: n}
}

// Choices are the handoffs that an agent can choose from, by number: their own,
// those that nobody owns, and those that wait in Matrix.
func (d *Desk) Choices(phone string, known []Known) []text.Choice {
	var out []text.Choice
	for _, k := range known {
		c := text.Choice{Number: k.Number, Since: k.Created}
		switch {
		case k.State == Closed:
			continue
		case !k.Leaves:
			if k.State != Open {
				continue
			}
			c.Matrix = true
		case !k.Reaches():
			continue
		case k.State == Taken && !d.OwnsByPhone(k.Handoff, phone):
			continue
		default:
			c.Asker, c.Begins = k.glimpse()
			c.Yours = k.State == Taken
		}
		out = append(out, c)
	}
	return out
}
