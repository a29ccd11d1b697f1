package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/markup"
)

// The bot's own words to agents on WhatsApp. The tag "*#12* " before them is put
// there by whoever sends the line.

// WaitingForAgent is all that WhatsApp reads of a handoff that stays in Matrix.
func WaitingForAgent() string { return "A staff question is waiting in Matrix." }

// OnlyMatrixForAgent refuses an answer to a handoff that stays in Matrix.
func OnlyMatrixForAgent() string {
	return "can only be answered in Matrix, so this wasn't sent."
}

// ClosedForAgent answers words for a closed handoff.
func ClosedForAgent(n int64) string {
	return fmt.Sprintf("is closed, so your answer wasn't sent. `take %d` opens it again.", n)
}

// AlreadyClosedForAgent answers `done` for a closed handoff.
func AlreadyClosedForAgent() string { return "is already closed." }

// OpenForAgent answers who wants to read a handoff that they have on their phone.
func OpenForAgent() string {
	return "is open; you'll find it further up. Quote it to answer, or start with its number."
}

// OwnedForAgent tells an agent that another answers.
func OwnedForAgent(owner string, answered bool) string {
	owner = markup.LiteralForWhatsApp(owner)
	if answered {
		return owner + " is answering this, so yours wasn't sent. Staff can read it."
	}
	return owner + " is already answering this."
}

// OnItForAgent tells those who were asked, too, that somebody else sees to it.
func OnItForAgent(name string) string {
	return markup.LiteralForWhatsApp(name) + " is answering this."
}

// InLaneForAgent tells those who were asked that a manager of the project wrote where it
// was asked, which may be the answer or not.
func InLaneForAgent(name string) string {
	return markup.LiteralForWhatsApp(name) + " wrote in the lane."
}

// NotInLaneForAgent takes that back.
func NotInLaneForAgent() string {
	return "What was written in the lane is deleted, and this is still open."
}

// TakenForAgent confirms `take`.
func TakenForAgent() string { return "is yours. Just reply here." }

// PassedForAgent confirms `pass`.
func PassedForAgent() string { return "OK, I won't ask you about this one again." }

// GoneForAgent tells why a conversation has ended.
func GoneForAgent() string {
	return "The person who asked is no longer in the project, so this is closed."
}

// DoneForAgent confirms `done`.
func DoneForAgent() string { return "Closed. I've told them." }

// EndedForAgent tells the owner that another closed the handoff.
func EndedForAgent(by string) string { return markup.LiteralForWhatsApp(by) + " closed this." }

// TakenOverForAgent tells the owner that another answers now.
func TakenOverForAgent(by string) string {
	return markup.LiteralForWhatsApp(by) + " has taken this over; your replies to it no longer go out."
}

// RoutedForAgent confirms where an answer went when others were open, too.
func RoutedForAgent() string { return "✓ sent." }

// AbsentForAgent is AbsentForStaff for the phone that it was written on.
func AbsentForAgent(gone bool) string {
	if gone {
		return "They've left that room and won't read your answer. I've told the team."
	}
	return "Their project is archived: they can read your answer but not reply. I've told the team."
}

// RemovedForAgent says why an answer was not sent.
func RemovedForAgent() string {
	return "Whoever asked is no longer in that project, so this wasn't sent. The team can add them again."
}

// ArchivedForAgent tells the owner of an open question that its project was archived.
func ArchivedForAgent() string {
	return "The project was archived: they can read what you answer here, and can't reply."
}

// LostForAgent says that an answer did not reach the asker.
func LostForAgent() string {
	return "I couldn't deliver your answer. I've told staff."
}

// RevokedForAgent tells the owner that the asker does not want WhatsApp any more.
func RevokedForAgent() string {
	return "goes on in Matrix: the asker no longer wants WhatsApp. Your replies to it don't go out."
}

// EmptyForAgent answers a number without words.
func EmptyForAgent() string { return "Put your answer after the number: `#12 Tomorrow at noon.`" }

// UnknownForAgent answers a number that names no handoff of theirs.
func UnknownForAgent(n int64) string {
	return fmt.Sprintf("There's no open #%d for you, so nothing was sent. `list` shows what's open.", n)
}

// Choice is a handoff that an agent can choose.
type Choice struct {
	Number int64
	Asker  string
	Begins string    // how the question begins, in WhatsApp's markup; "" if that is not shown
	Since  time.Time // when it was asked
	Yours  bool
	Matrix bool // waits in Matrix: no names
}

// MaxChoices bounds what one message lists.
const MaxChoices = 20

// rank orders what is left out last: an agent's own, then what they could take.
func (c Choice) rank() int {
	switch {
	case c.Yours:
		return 0
	case !c.Matrix:
		return 1
	}
	return 2
}

// few takes the first that are worth most, by number.
func few(list []Choice) (shown []Choice, more bool) {
	if len(list) <= MaxChoices {
		return list, false
	}
	shown = slices.SortedStableFunc(slices.Values(list), func(a, b Choice) int { return cmp.Compare(a.rank(), b.rank()) })[:MaxChoices]
	slices.SortFunc(shown, func(a, b Choice) int { return cmp.Compare(a.Number, b.Number) })
	return shown, true
}

// line is a choice at a time: "*#10* Carl, 4 min: The preview link shows…".
func (c Choice) line(now time.Time) string {
	if c.Matrix {
		return fmt.Sprintf("*#%d* %s", c.Number, WaitingForAgent())
	}
	s := fmt.Sprintf("*#%d* %s, %s", c.Number, markup.LiteralForWhatsApp(c.Asker), Age(now.Sub(c.Since)))
	if c.Yours {
		s += " (yours)"
	}
	if c.Begins != "" {
		s += ": " + c.Begins
	}
	return s
}

func choices(list []Choice, now time.Time) string {
	list, more := few(list)
	var lines []string
	for _, c := range list {
		lines = append(lines, c.line(now))
	}
	if more {
		lines = append(lines, "There are more; they show up as these are done.")
	}
	return strings.Join(lines, "\n")
}

// WhichForAgent asks which handoff an answer is for.
func WhichForAgent(list []Choice, now time.Time) string {
	if len(list) == 0 {
		return "I can't tell which question that is for, so nothing was sent. None is open for you; `?` shows what you can do."
	}
	return "Which one is that for? Nothing was sent. Quote a message of it, or start with its number:\n" + choices(list, now)
}

// Offered are the numbers that an agent who reads a list can answer.
func Offered(list []Choice) (numbers []int64) {
	list, _ = few(list)
	for _, c := range list {
		if !c.Matrix {
			numbers = append(numbers, c.Number)
		}
	}
	return numbers
}

// WhichKeptForAgent asks which handoff an answer is for that is kept until they say.
func WhichKeptForAgent(list []Choice, now time.Time) string {
	return "Which one is that for? Nothing was sent yet: reply with the number alone and I'll send it.\n" + choices(list, now)
}

// AddedForAgent asks for the number of an answer that goes on. begins is how it begins, in
// WhatsApp's markup, here and below.
func AddedForAgent(begins string, list []Choice, now time.Time) string {
	return "Added, and nothing was sent yet. I keep “" + begins + "”: reply with the number alone and I'll send all of it.\n" + choices(list, now)
}

// StillKeptForAgent asks again for the number of an answer; why says what was wrong with
// the last message.
func StillKeptForAgent(why, begins string, list []Choice, now time.Time) string {
	s := why + " I still keep “" + begins + "”"
	if len(list) == 0 {
		return s + ", but no question is open for you now."
	}
	return s + ": reply with the number alone and I'll send it.\n" + choices(list, now)
}

// KeepingForAgent stands behind a list that was given for something else.
func KeepingForAgent(begins string) string {
	return "I still keep “" + begins + "”: a number alone sends that."
}

// What is wrong with a message, for StillKeptForAgent.

// TooLongForAgent says that words are too many to be kept with those before them.
func TooLongForAgent() string {
	return "That's more than I can keep for you, so your last message isn't kept and went to nobody."
}

// EarlyForAgent says that a number may be the rest of the answer.
func EarlyForAgent(n int64) string {
	return fmt.Sprintf("I can't be sure that your %d answers my question, so it went to nobody.", n)
}

// NoSuchForAgent says that a number names no handoff of theirs.
func NoSuchForAgent(n int64) string { return fmt.Sprintf("There's no open #%d for you.", n) }

// StaysInMatrixForAgent says that a number names a handoff that stays in Matrix.
func StaysInMatrixForAgent(n int64) string {
	return fmt.Sprintf("#%d can only be answered in Matrix.", n)
}

// IsClosedForAgent says that a number names a closed handoff.
func IsClosedForAgent(n int64) string {
	return fmt.Sprintf("#%d is closed; `take %d` opens it again.", n, n)
}

// IsOwnedForAgent says that a number names a handoff that another answers.
func IsOwnedForAgent(n int64, owner string) string {
	return fmt.Sprintf("%s is answering #%d.", markup.LiteralForWhatsApp(owner), n)
}

// IsRemovedForAgent says that a number names a handoff whose asker is gone.
func IsRemovedForAgent(n int64) string {
	return fmt.Sprintf("Whoever asked #%d is no longer in that project.", n)
}

// NotOfferedForAgent says that a number was not among those that were asked about.
func NotOfferedForAgent(n int64) string {
	return fmt.Sprintf("#%d wasn't on my list: if it's for that one, send %d once more.", n, n)
}

// SpentForAgent answers a number that was offered for an answer which is over; sent is
// where that went, 0 if to nobody.
func SpentForAgent(n, sent int64) string {
	if sent == 0 {
		return fmt.Sprintf("I no longer keep your answer, so this %d went to nobody. Write it again after its number: `#%d your answer`", n, n)
	}
	return fmt.Sprintf("Your answer already went to #%d, so this %d went to nobody. If it's an answer, put the number before it: `#%d %d`", sent, n, sent, n)
}

// NoLongerKeptForAgent says that an answer is kept no longer and went to nobody.
func NoLongerKeptForAgent(begins string) string {
	return "“" + begins + "” went to nobody, and I no longer keep it. To send it, write it again after its number: `#12 your answer`"
}

// WordForAgent asks about what is like an agent word: it could be meant for us, or for
// who asked.
func WordForAgent(list []Choice, now time.Time) string {
	return WhichForAgent(list, now) + "\nOn its own, as in `done 12`, I do it; after the number, as in `#12 done`, it is an answer."
}

// ListForAgent answers `list`.
func ListForAgent(list []Choice, now time.Time) string {
	if len(list) == 0 {
		return "No open questions."
	}
	return choices(list, now)
}

// OptedInForAgent answers START.
func OptedInForAgent() string { return "Welcome back: I'll ask you again. `list` shows what's open." }

// NoneOpenForAgent answers words for which nothing is open.
func NoneOpenForAgent() string {
	return "Nothing is waiting for you, so this wasn't sent to anyone. `?` shows what you can do."
}

// OpeningForAgent answers the message that opened the window: it is never taken
// for an answer.
func OpeningForAgent(n int64) string {
	return fmt.Sprintf("You're connected for 24 hours. Your last message went to nobody: to answer, quote a question or start with its number, `#%d`.", n)
}

// StatusForAgent answers `status`: what is theirs, what else is open, and until when free
// text may be sent to them.
func StatusForAgent(list []Choice, until, now time.Time) string {
	var lines []string
	others := 0
	for _, c := range list {
		if c.Yours {
			lines = append(lines, c.line(now))
		} else {
			others++
		}
	}
	if len(lines) > MaxChoices {
		lines = append(lines[:MaxChoices], "There are more of yours.")
	}
	if len(lines) == 0 {
		lines = append(lines, "You're answering nobody.")
	}
	switch {
	case others > MaxChoices:
		lines = append(lines, fmt.Sprintf("More than %d others are open: `list`", MaxChoices))
	case others == 1:
		lines = append(lines, "One more is open: `list`")
	case others > 1:
		lines = append(lines, fmt.Sprintf("%d others are open: `list`", others))
	}
	lines = append(lines, "I can write to you until "+until.UTC().Format("2 January, 15:04 UTC")+"; any message from you makes it 24 hours again.")
	return strings.Join(lines, "\n")
}

// mostReady bounds how many ready answers are named.
const mostReady = 20

// HelpForAgent answers `help` and `?`; ready are the ready answers, as they are typed.
func HelpForAgent(ready []string) string {
	end := ""
	if len(ready) > 0 {
		end = "\nReady answers: `" + strings.Join(ready[:min(len(ready), mostReady)], "` `") + "`"
	}
	return "To answer, quote a question or start with its number: `#12 your answer`\n" +
		"`list` what's open\n" +
		"`take 12` it's mine\n" +
		"`pass 12` not me\n" +
		"`done 12` answered\n" +
		"`status` what's yours" + end
}

// CorrectionForAgent stands after the name of who changed a line that was sent.
const CorrectionForAgent = " (correction)"

// SilentForAgent stands for a question without words.
func SilentForAgent() string { return "(asked for a person, no question yet)" }

// WithdrawnForAgent tells that a line was deleted.
func WithdrawnForAgent(name string) string {
	return markup.LiteralForWhatsApp(name) + " deleted a message you received (withdrawn). Please delete it here, too."
}

// ReactionForAgent is a reaction as a short line; key and to are WhatsApp's markup.
func ReactionForAgent(name, key, to string) string {
	s := markup.LiteralForWhatsApp(name) + " reacted " + key
	if to != "" {
		s += " to “" + to + "”"
	}
	return s
}

// TooMuchForAgent says that an agent's messages are not taken, as they are too many.
func TooMuchForAgent(limit int) string {
	return fmt.Sprintf("That's more than %d messages in a minute, so I haven't taken this one, or what you write in the rest of that minute. Everything before it went through. Please send it again in a minute.", limit)
}

// RestForAgent says where the rest of a text stands that is too long for WhatsApp.
func RestForAgent(n int64) string {
	if n == 0 {
		return "The rest is too long for WhatsApp."
	}
	return fmt.Sprintf("The rest is too long for WhatsApp. You'll find it in Matrix, in the thread of #%d.", n)
}
