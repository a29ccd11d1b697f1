package text

import (
	"fmt"
	"html"
	"strings"
	"time"

	"lanekeeper/bridge/markup"
)

// Asked says what the first notice of a handoff has to tell.
type Asked struct {
	Number   int64
	Lane     bool   // in a lane, where everybody reads along; else the direct chat
	WhatsApp bool   // the words also go to WhatsApp
	Consent  bool   // they do if the asker agrees
	Again    bool   // the asker has read the long version before
	Prefix   string // of commands
	Question string // repeated where the thread cannot hang on it
}

// AskedForAsker is the first notice in the asker's thread.
func AskedForAsker(a Asked) Words {
	var s []string
	also := ""
	if a.WhatsApp {
		also = ", also on WhatsApp"
	}
	if a.Again {
		s = append(s, "Passed to support"+also+".")
	} else {
		s = append(s, "Thanks – I've passed this to our support team"+also+".")
	}
	switch {
	case a.Lane && a.Again:
		s = append(s, "Everyone in this room can read this thread.")
	case a.Lane:
		s = append(s, "Their answer comes in this thread, which everyone in this room can read.")
	case !a.Again:
		s = append(s, "Their answer comes here, for your eyes only. Until then everything you write here goes to them; commands need `"+a.Prefix+"` before them.")
	}
	if a.Consent {
		s = append(s, ConsentWish)
	}
	w := Sentence(fmt.Sprintf("%s (#%d)", strings.Join(s, " "), a.Number))
	if a.Question == "" {
		return w
	}
	return Join(w, Say("You asked:"), markup.Quote(Words{Plain: a.Question}))
}

// ConsentWish asks for the leave to send somebody's words to WhatsApp.
const ConsentWish = "May I send this to their WhatsApp, too? You'll often get an answer sooner. ✅ = yes."

// SignOfConsentForAsker answers another reaction on the notice that asks for consent.
func SignOfConsentForAsker(n int64) Words {
	return Say("If your words may go to WhatsApp, please tap ✅ there; no other reaction counts. (#%d)", n)
}

// HandForPerson answers 🙋 on somebody else's message.
func HandForPerson(prefix string) Words {
	return Say("🙋 works on your own messages. To ask a person about somebody else's, write %s and your question, as a reply to it.", Code(prefix+" human"))
}

// JoinedForAsker answers who asks in a thread where support is asked already;
// open: it was closed until now.
func JoinedForAsker(a Asked, open bool) Words {
	words := "Support already has this and will see your message, too"
	if open {
		words = "I've reopened this and told support"
	}
	if a.WhatsApp {
		words += ", also on WhatsApp"
	}
	words += "."
	if a.Lane {
		words += " Everyone in this room can read this thread."
	}
	if open {
		words += " For a new question, ask again outside this thread, and not as a reply."
	}
	if a.Consent {
		words += " " + ConsentWish
	}
	return Say("%s (#%d)", words, a.Number)
}

// Full is a question of somebody who has as many open handoffs as one person may.
type Full struct {
	Number   int64 // the one that it joins
	Open     int
	Question string // repeated where the thread cannot hang on it
}

// FullForAsker answers such a question.
func FullForAsker(f Full) Words {
	w := Sentence(fmt.Sprintf("You already have %d open questions, and that's as many as I can keep apart, so I've added this to #%d. If one is answered, close it: `close #%d`.", f.Open, f.Number, f.Number))
	if f.Question == "" {
		return w
	}
	return Join(w, Say("You asked:"), markup.Quote(Words{Plain: f.Question}))
}

// NoMoreForAsker refuses such a question where there is none in the same place that it
// could join.
func NoMoreForAsker(open int) string {
	return fmt.Sprintf("You already have %d open questions, and that's as many as I can keep apart. None of them is here: close one with `close` and its number, then ask again.", open)
}

// TakenOut are words that were meant to be private and taken out of a lane.
type TakenOut struct {
	Why      string // nobody was asked
	Words    string // as they were typed
	Again    bool   // asking again can help
	Customer bool   // the lane is the customer's
}

// TakenOutForSender refuses a private question, in the direct chat alone. What is
// asked there can go to WhatsApp, and words of staff lanes do not.
func TakenOutForSender(t TakenOut) Words {
	out := "I've removed your message from the room, so nobody else reads it there."
	switch {
	case t.Again && t.Customer:
		out += " To ask again, write to me here."
	case t.Again:
		out += " To ask again, ask there, with --private before all other words: what you ask here can also go to WhatsApp."
	}
	return Join(Sentence(t.Why+" "+out), Say("You wrote:"), markup.Quote(Words{Plain: t.Words}))
}

// TooMuchForAsker says that words are not carried, as they are too many.
func TooMuchForAsker(n int64, limit int) Words {
	return Say("%s", fmt.Sprintf("That's more than %d messages in a minute, so I haven't passed on this one, or what you write in the rest of that minute. Everything before it went through. Please send it again in a minute. (#%d)", limit, n))
}

// ClosedForAsker tells that a handoff ended; by is the name to show. In a direct chat
// words without a reply are commands now.
func ClosedForAsker(n int64, by string, direct bool) Words {
	how := "Just write here."
	if direct {
		how = "Just reply to this message."
	}
	return Say("%s", fmt.Sprintf("%s marked this as answered. Need anything else? %s (#%d)", by, how, n))
}

// EndedForAsker tells somebody who is in no project any more that nobody reads on.
func EndedForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("This conversation has ended, because you're no longer in the project. What you write about it reaches nobody. (#%d)", n))
}

// EndedForStaff says in the card's thread why a conversation has ended.
func EndedForStaff(n int64, asker string) Words {
	return Say("%s", fmt.Sprintf("%s is no longer in the project, so I've closed this. What they write reaches nobody. (#%d)", asker, n))
}

// WhichForAsker asks to which of several questions somebody's words belong.
func WhichForAsker(numbers []int64) Words {
	return Say("%s", "Is that for "+tags(numbers, " or ")+"? I haven't sent it, because different people read those. Please send it again as a reply to a message of the one you mean.")
}

// WhichOfYours asks which of somebody's own questions a command means.
func WhichOfYours(numbers []int64) string {
	return fmt.Sprintf("Which one? %s are open here. Add the number, like #%d, or reply to a message of the one you mean.", tags(numbers, " and "), numbers[0])
}

func tags(numbers []int64, by string) string {
	var names []string
	for _, n := range numbers {
		names = append(names, fmt.Sprintf("#%d", n))
	}
	return strings.Join(names, by)
}

// HeldForAnyone says that words in a conversation were not sent, since they read like
// a command, and how to do either.
func HeldForAnyone(prefix, words string) Words {
	words = Shorten(words, 200)
	return Say("That looks like a command, so I haven't sent it to anyone. To run it, write %s. To send it as it is, put it in quotes: %s.", Code(prefix+" "+words), Code("\""+words+"\""))
}

// HintForAsker says how to answer an answer.
func HintForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("This stayed in the room. If it's for our support team, write it in the thread of your question, or reply to their answer. (#%d)", n))
}

// ArchivedForAsker tells in the thread of an open question that the project was archived.
func ArchivedForAsker(n int64) Words {
	return Say("The project was archived, so you can't write here any more. An answer still comes in this thread; for anything else write to me in a direct chat. (#%d)", n)
}

// ReopenedForAsker tells that a handoff goes on.
func ReopenedForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("I've reopened this and told our support team. (#%d)", n))
}

// NotCarriedForAsker answers a file in the thread.
func NotCarriedForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("I can't pass on files yet, so support hasn't seen this one. Please describe what it shows. (#%d)", n))
}

// UndeliveredForAsker is said at a message that WhatsApp did not deliver.
func UndeliveredForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("WhatsApp didn't deliver this, but support can read it in Matrix. No need to send it again. (#%d)", n))
}

// AnswerForAsker is an answer where the bot speaks for somebody.
func AnswerForAsker(name string, w Words) Words { return Spoken(name, "", w) }

// Spoken puts a name before somebody's words; via says where they were written.
func Spoken(name, via string, w Words) Words {
	if via != "" {
		via = " (" + via + ")"
	}
	quoted := markup.Quote(w)
	return Words{
		Plain:    "**" + name + via + ":** " + markup.Said(w.Plain),
		HTML:     "<strong>" + html.EscapeString(name+via) + ":</strong>" + quoted.HTML,
		Mentions: w.Mentions,
	}
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

// FileForStaff stands for a file that was not carried; its name is not shown.
func FileForStaff() Words { return Say("(a file, not passed on)") }

// WithdrawnForStaff stands on a card for a question that its asker deleted.
func WithdrawnForStaff() Words { return Say("(withdrawn)") }

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
	return Say("%s", fmt.Sprintf("%s wrote to us on WhatsApp and isn't an agent, so they got no answer. If they should be one, add them to whatsapp.agents.", number))
}

// OptedOutForStaff tells that an agent does not want messages any more.
func OptedOutForStaff(name string) Words {
	return Say("%s", fmt.Sprintf("%s sent STOP on WhatsApp. Twilio won't deliver anything until %s sends START.", name, name))
}

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
