package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"lanekeeper/bridge/markup"
)

// The bot's own words to agents on WhatsApp. The tag "*#12* " before them is put
// there by whoever sends the line.

// WaitingForAgent is all that WhatsApp reads of a handoff that stays in Matrix.
func WaitingForAgent() string { return "is waiting in Matrix." }

// OnlyMatrixForAgent refuses an answer to a handoff that stays in Matrix.
func OnlyMatrixForAgent() string {
	return "is waiting in Matrix. It can be answered only there, so nothing was sent."
}

// ClosedForAgent answers words for a closed handoff.
func ClosedForAgent(n int64) string {
	return fmt.Sprintf("is closed, so your answer was not sent. Write `take %d` to open it again.", n)
}

// AlreadyClosedForAgent answers `done` for a closed handoff.
func AlreadyClosedForAgent() string { return "is closed already." }

// OpenForAgent answers who wants to read a handoff that they have on their phone.
func OpenForAgent() string {
	return "is open; its words are further up here. Quote one to answer, or begin with the number."
}

// OwnedForAgent tells an agent that another answers.
func OwnedForAgent(owner string, answered bool) string {
	owner = markup.LiteralForWhatsApp(owner)
	if answered {
		return owner + " owns this, so your answer was not sent to the asker. Staff can read it."
	}
	return owner + " owns this."
}

// TakenForAgent confirms `take`.
func TakenForAgent() string { return "is yours. What you write goes to the asker." }

// PassedForAgent confirms `pass`.
func PassedForAgent() string { return "Passed. You are not asked about this any more." }

// GoneForAgent tells why a conversation has ended.
func GoneForAgent() string {
	return "The person who asked is not in the project any more. This is closed."
}

// DoneForAgent confirms `done`.
func DoneForAgent() string { return "Closed. The asker was told." }

// EndedForAgent tells the owner that another closed the handoff.
func EndedForAgent(by string) string { return markup.LiteralForWhatsApp(by) + " closed this." }

// TakenOverForAgent tells the owner that another answers now.
func TakenOverForAgent(by string) string {
	return markup.LiteralForWhatsApp(by) + " took this over. What you write is not sent."
}

// RoutedForAgent confirms where an answer went when others were open, too.
func RoutedForAgent() string { return "→ your answer went here." }

// AbsentForAgent is AbsentForStaff for the phone that it was written on.
func AbsentForAgent(gone bool) string {
	if gone {
		return "They are not in that room any more and do not read your answer. The team knows."
	}
	return "Their project is archived: they can read your answer and cannot reply. The team knows."
}

// RemovedForAgent says why an answer was not sent.
func RemovedForAgent() string {
	return "Whoever asked is not in that project any more, so nothing is sent to them. The team can add them again."
}

// LostForAgent says that an answer did not reach the asker.
func LostForAgent() string {
	return "Your answer could not be delivered in Matrix. Staff were told."
}

// FileForAgent tells an agent that a file was not carried.
func FileForAgent() string { return "Files are not carried yet, so yours was not sent." }

// SentFileForAgent tells an agent that the asker sent a file.
func SentFileForAgent() string { return "(a file, which is not carried)" }

// RevokedForAgent tells the owner that the asker does not want WhatsApp any more.
func RevokedForAgent() string {
	return "goes on in Matrix: the asker does not want WhatsApp any more. What you write is not sent."
}

// EmptyForAgent answers a number without words.
func EmptyForAgent() string { return "Write your answer behind the number." }

// UnknownForAgent answers a number that names no handoff of theirs.
func UnknownForAgent(n int64) string {
	return fmt.Sprintf("There is no #%d for you, so nothing was sent. Write `list` to see what is open.", n)
}

// Choice is a handoff that an agent can choose.
type Choice struct {
	Number int64
	Asker  string
	Place  string
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

func choices(list []Choice) string {
	list, more := few(list)
	var lines []string
	for _, c := range list {
		s := fmt.Sprintf("*#%d* %s", c.Number, markup.LiteralForWhatsApp(c.Asker))
		switch {
		case c.Matrix:
			s = fmt.Sprintf("*#%d* %s", c.Number, WaitingForAgent())
		case c.Place != "":
			s += " · " + markup.LiteralForWhatsApp(c.Place)
		}
		if c.Yours {
			s += " (yours)"
		}
		lines = append(lines, s)
	}
	if more {
		lines = append(lines, "There are more; they are listed when some of these are done.")
	}
	return strings.Join(lines, "\n")
}

// WhichForAgent asks which handoff an answer is for.
func WhichForAgent(list []Choice) string {
	if len(list) == 0 {
		return "I do not know which request that is for, so nothing was sent. None is open for you; write `?` to see what you can do."
	}
	return "Which one is that for? Nothing was sent. Quote a message of it, or begin with its number:\n" + choices(list)
}

// WordForAgent asks about what is like an agent word: it could be meant for us, or for
// who asked.
func WordForAgent(list []Choice) string {
	return WhichForAgent(list) + "\nAlone, as in `done 12`, it is done by me; behind the number, as in `#12 done`, it is an answer."
}

// ListForAgent answers `list`.
func ListForAgent(list []Choice) string {
	if len(list) == 0 {
		return "Nothing is open."
	}
	return choices(list)
}

// NoneOpenForAgent answers words for which nothing is open.
func NoneOpenForAgent() string {
	return "Nothing is open for you, so this was sent to nobody. Write `?` to see what you can do."
}

// OpeningForAgent answers the message that opened the window: it is never taken
// for an answer.
func OpeningForAgent(n int64) string {
	return fmt.Sprintf("You can read and answer again for 24 hours. Your last message was sent to nobody: to answer, quote a message or begin with the number, as in `#%d`.", n)
}

// HelpForAgent answers `help` and `?`.
func HelpForAgent() string {
	return "Lanekeeper: quote a message to answer it, or begin with its number, as in `#12 your answer`.\n" +
		"`list` shows what is open\n" +
		"`take 12` makes a request yours\n" +
		"`pass 12` leaves it to the others\n" +
		"`done 12` closes it"
}

// CorrectionForAgent stands after the name of who changed a line that was sent.
const CorrectionForAgent = " (correction)"

// SilentForAgent stands for a question without words.
func SilentForAgent() string { return "(asks for a human, without words yet)" }

// WithdrawnForAgent tells that a line was deleted.
func WithdrawnForAgent(name string) string {
	return markup.LiteralForWhatsApp(name) + " has withdrawn a message you got. Please delete it here, too."
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
	return fmt.Sprintf("That is more than %d messages in a minute: this one, and what you write in the rest of that minute, was left. What you wrote before was taken. Please wait a minute and send it again.", limit)
}

// RestForAgent says where the rest of a text stands that is too long for WhatsApp.
func RestForAgent(n int64) string {
	if n == 0 {
		return "The rest is too long for WhatsApp."
	}
	return fmt.Sprintf("The rest is too long for WhatsApp. It stands in Matrix, in the thread of #%d.", n)
}
