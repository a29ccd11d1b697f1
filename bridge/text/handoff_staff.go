package text

import (
	"fmt"
	"html"
	"strings"
	"time"

	"lanekeeper/bridge/markup"
)

// What staff read about questions: cards, and what is said in their threads.

// EndedForStaff says in the card's thread why a conversation has ended.
func EndedForStaff(n int64, asker string) Words {
	return Say("%s", fmt.Sprintf("%s is no longer in the project, so I've closed this. What they write reaches nobody. (#%d)", asker, n))
}

// NoWordsForStaff stands where a part of a long message was that an edit made shorter.
func NoWordsForStaff() Words {
	return Say("(nothing: the message was edited and is shorter now)")
}

// Card is what staff read of a handoff at a glance.
type Card struct {
	Number   int64
	Asker    Pill
	Place    string // "Acme website, customer lane", "direct chat"
	Question Words
	State    string    // open, taken, closed
	Owner    string    // name, "" if nobody
	Phone    bool      // the owner answers on WhatsApp
	Closer   string    // who closed it
	InMatrix bool      // words do not leave Matrix
	Consent  bool      // the asker has not agreed to WhatsApp yet
	InLane   string    // which manager wrote where it was asked, "" if none
	Since    time.Time // when it was asked
	Billed   int       // messages of it on WhatsApp until it was closed
}

// InLane says where words were written that staff read in a card's thread.
const InLane = "in the lane"

// CardForStaff is the card of a handoff in the super-admin room.
func CardForStaff(c Card) Words {
	lines := []Words{Say("%s #%d · %s · %s", signOf(c), c.Number, Named(c.Asker), c.Place)}
	if c.Question.Plain != "" {
		lines = append(lines, markup.Quote(c.Question))
	}
	state := ""
	switch {
	case c.State == "closed" && c.Closer != "":
		state = "Closed by " + c.Closer + "."
	case c.State == "closed":
		state = "Closed."
	case c.Phone:
		state = c.Owner + " is answering on WhatsApp."
	case c.Owner != "":
		state = c.Owner + " is answering here."
	default:
		state = "Open" + since(c.Since) + " – ✋ to take it, then reply in this thread."
	}
	if c.State != "closed" && c.InMatrix {
		state += " Matrix only: nothing goes to WhatsApp."
	}
	if c.State != "closed" && c.Consent {
		state += " Not on WhatsApp yet: " + c.Asker.Name + " hasn't agreed."
	}
	switch {
	case c.State != "closed":
	case c.Billed == 1:
		state += " 1 message on WhatsApp."
	case c.Billed > 1:
		state += fmt.Sprintf(" %d messages on WhatsApp.", c.Billed)
	}
	if c.InLane != "" {
		state += " " + c.InLane + " wrote in the lane."
	}
	return Join(append(lines, Say("%s", state))...)
}

// signOf shows at a glance what a card needs.
func signOf(c Card) string {
	switch {
	case c.State == "closed":
		return "✅"
	case c.Owner != "":
		return "🔵"
	}
	return "🟠"
}

// Named is a person for readers who may share no room with them: clients show the raw id of
// such a person instead of a pill's text, so the name stands for itself, with the id small
// behind it.
func Named(p Pill) Words {
	w := Words{Plain: p.Name, HTML: "<strong>" + html.EscapeString(p.Name) + "</strong>"}
	if p.ID != "" && p.ID != p.Name {
		w.HTML += " <sub>" + html.EscapeString(p.ID) + "</sub>"
	}
	return w
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(" since 2 January, 15:04 UTC")
}

// ContextForStaff is what was said before a question.
func ContextForStaff(said []Words) Words {
	return Join(append([]Words{Say("Earlier in that room:")}, said...)...)
}

// KeptForStaff says why somebody's words in a card's thread stay there.
func KeptForStaff(prefix string, n int64, state, owner string) Words {
	switch {
	case state == "closed":
		return Sentence(fmt.Sprintf("🔒 Not sent: #%d is closed. `%s reopen` opens it again.", n, prefix))
	case owner != "":
		return Sentence(fmt.Sprintf("🔒 Staff only: %s is answering #%d. To take over: `%s take --force`.", owner, n, prefix))
	}
	return Say("%s", fmt.Sprintf("🔒 Staff only: nobody has taken #%d yet. ✋ on the card makes it yours.", n))
}

// UnsentForStaff shows an answer from WhatsApp that did not go to the asker.
func UnsentForStaff(name, why string, w Words) Words {
	return Spoken("🔒 "+name, "WhatsApp, not sent: "+why, w)
}

// WithdrawnForStaff stands on a card for a question that its asker deleted.
func WithdrawnForStaff() Words { return Say("(withdrawn)") }

// KeptByPhonesForStaff says who has on WhatsApp what somebody deleted in Matrix.
func KeptByPhonesForStaff(who string, agents []string) Words {
	return Say("%s deleted a message. WhatsApp takes none back, so it's still on the phone of %s, who I've asked to delete it.", who, listed(agents))
}

// NotCarriedForStaff answers a file of the owner.
func NotCarriedForStaff() Words {
	return Say("I can't pass on files yet, so the asker hasn't got this one.")
}

// OwnedForStaff answers ✋ on the card of what another owns.
func OwnedForStaff(prefix string, n int64, owner string) Words {
	return Sentence(OwnedForCommand(prefix, n, owner))
}

// SignOfCardForStaff answers another reaction on a handoff's card.
func SignOfCardForStaff(n int64) Words {
	return Say("That card takes one reaction: ✋ makes the question yours. (#%d)", n)
}

// TakenOverForStaff tells the former owner that another answers now.
func TakenOverForStaff(n int64, by string) Words {
	return Say("%s", fmt.Sprintf("%s has taken over #%d. What you write here now stays among staff.", by, n))
}

// FreedForStaff tells staff that nobody owns a handoff and WhatsApp cannot help.
func FreedForStaff(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d has nobody, and nobody on WhatsApp can be reached. Please take it with ✋ on the card.", n))
}

// UnreachableForStaff says that a phone could be sent nothing.
func UnreachableForStaff(n int64, name string) Words {
	return Say("%s", fmt.Sprintf("I couldn't reach %s on WhatsApp for #%d: the 24-hour window is closed, and whatsapp.template_sid isn't set. It goes out as soon as %s writes to us.", name, n, name))
}

// FailedForStaff says that a line did not reach an agent; why is Twilio's reason.
func FailedForStaff(n int64, name, why string) Words {
	return Say("%s", fmt.Sprintf("This didn't reach %s on WhatsApp: %s. Anyone can take over with ✋ on the card. (#%d)", name, why, n))
}

// UnknownForStaff says that nobody knows whether a line reached an agent.
func UnknownForStaff(n int64, name string) Words {
	return Say("%s", fmt.Sprintf("I don't know whether this reached %s on WhatsApp: Twilio accepted it and has said nothing for half a day. Please ask %s, or take over with ✋ on the card. (#%d)", name, name, n))
}

// LostForStaff says that an answer did not reach the asker's thread.
func LostForStaff(n int64) Words {
	return Say("%s", fmt.Sprintf("This didn't reach the asker: the homeserver refused it. They may have left the room; please reach them another way. (#%d)", n))
}

// StrangersForStaff says that no more unknown numbers are named.
func StrangersForStaff(n int) Words {
	return Say("%s", fmt.Sprintf("More than %d unknown numbers have written to us on WhatsApp today. They get no answer, and I won't list more of them until tomorrow.", n))
}

// AbsentForStaff tells that an answer stands in a room where its asker does not read
// it any more or, if they are still there, cannot reply.
func AbsentForStaff(n int64, gone bool) Words {
	if gone {
		return Say("%s", fmt.Sprintf("The asker has left that room and won't read this. Please reach them another way, or close it. (#%d)", n))
	}
	return Say("%s", fmt.Sprintf("The project is archived: the asker can read this but not reply. To let them, restore the project. (#%d)", n))
}

// RemovedForStaff says why nothing goes to who asked in private any more.
func RemovedForStaff(n int64) string {
	return fmt.Sprintf("Whoever asked #%d is no longer in the project, so nothing reaches them. To go on, add them again.", n)
}

// ArchivedForStaff tells in the card's thread that the project of an open question was
// archived.
func ArchivedForStaff(n int64) Words {
	return Say("The project was archived. The asker still reads what is answered here, and can't reply: answer or close this, or restore the project. (#%d)", n)
}

// StrangerForStaff tells of a message from a number that is no agent's.
func StrangerForStaff(number string) Words {
	if !strings.HasPrefix(number, "+") {
		return Say("%s", fmt.Sprintf("Somebody who hides their number (%s) wrote to us on WhatsApp and isn't known as an agent, so they got no answer. If they should be, they have to show their number to us once.", number))
	}
	return Say("%s", fmt.Sprintf("%s wrote to us on WhatsApp and isn't an agent, so they got no answer. If they should be one, add them to whatsapp.agents.", number))
}

// OptedOutForStaff tells that an agent does not want messages any more.
func OptedOutForStaff(name string) Words {
	return Say("%s", fmt.Sprintf("%s sent STOP on WhatsApp, so they get nothing more until they send START. What they're answering can be taken over with ✋ on its card.", name))
}

// OptedInForStaff tells that an agent wants messages again.
func OptedInForStaff(name string) Words {
	return Say("%s", fmt.Sprintf("%s sent START on WhatsApp and is asked again.", name))
}

// StoppedForStaff is why a phone gets nothing.
func StoppedForStaff() string { return "they sent STOP, and have to send START first" }

// ConsentedForStaff tells that the asker's words may go to WhatsApp now, or not any more.
func ConsentedForStaff(name string, given bool) Words {
	if given {
		return Say("%s", name+" agreed: this conversation is on WhatsApp now, too.")
	}
	return Say("%s", name+" changed their mind: nothing more goes to WhatsApp.")
}

// ReactionForStaff is a reaction of an asker's that is shown as words.
func ReactionForStaff(name string, key Words) Words {
	return Spoken(name, "reaction", key)
}

// Listed is a handoff in a list.
type Listed struct {
	Number   int64
	Card     Pill // where its card stands; without an ID while it does not
	Asker    Pill
	Place    string
	State    string
	Owner    string // name, "" if nobody
	Question string
	Age      time.Duration // since it was asked; 0: not shown
}

// HandoffForStaff is a handoff in a list: a line that leads to its card, and how the
// question begins.
func HandoffForStaff(l Listed) Words {
	state := l.State
	if l.Owner != "" {
		state += ", " + l.Owner
	}
	if l.Age > 0 {
		state += ", " + Age(l.Age)
	}
	number := Say("#%d", l.Number)
	if l.Card.ID != "" {
		number = Say("%s", l.Card)
	}
	w := Say("%s · %s · %s · %s", number, Named(l.Asker), l.Place, state)
	if l.Question == "" {
		return w
	}
	return Join(w, markup.Quote(Words{Plain: Excerpt(l.Question, 80)}))
}

// HandoffsForStaff is a list of handoffs.
func HandoffsForStaff(lines []Words) Words {
	if len(lines) == 0 {
		return Say("No open questions.")
	}
	return Join(lines...)
}

// TakenForStaff answers `take`.
func TakenForStaff(n int64, changed bool) Words {
	if !changed {
		return Say("%s", fmt.Sprintf("#%d is already yours.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is yours. What you write in the card's thread now goes to the asker.", n))
}

// ReleasedForStaff answers `release`.
func ReleasedForStaff(n int64, changed bool) Words {
	if !changed {
		return Say("%s", fmt.Sprintf("#%d is already free: nobody is answering it.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is free again; I've asked the others.", n))
}

// ClosedForAnyone answers `close`; here: in the asker's thread, or in their direct chat.
func ClosedForAnyone(n int64, changed, here, direct bool) Words {
	switch {
	case !changed:
		return Say("%s", fmt.Sprintf("#%d is already closed.", n))
	case here && direct:
		return Say("%s", fmt.Sprintf("Closed. Need anything else? Just reply to one of its messages. (#%d)", n))
	case here:
		return Say("%s", fmt.Sprintf("Closed. Need anything else? Just write here. (#%d)", n))
	}
	return Say("%s", fmt.Sprintf("#%d is closed. If the asker writes in the thread, it opens again.", n))
}

// ReopenedForAnyone answers `reopen`.
func ReopenedForAnyone(n int64, changed bool) Words {
	if !changed {
		return Say("%s", fmt.Sprintf("#%d is already open.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is open again; I've told support.", n))
}
