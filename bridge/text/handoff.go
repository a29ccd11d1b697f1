package text

import (
	"fmt"
	"html"
	"strings"

	"lanekeeper/bridge/markup"
)

// Asked says what the first notice of a handoff has to tell.
type Asked struct {
	Number   int64
	Lane     bool   // in a lane, where everybody reads along; else the direct chat
	WhatsApp bool   // the words also go to WhatsApp
	Consent  bool   // they do if the asker agrees
	Again    bool   // the asker has read the long version before
	Question string // repeated where the thread cannot hang on it
}

// AskedForAsker is the first notice in the asker's thread.
func AskedForAsker(a Asked) Words {
	var s []string
	switch {
	case a.Again && a.WhatsApp:
		s = append(s, "Support is asked, also on WhatsApp.")
	case a.Again:
		s = append(s, "Support is asked.")
	case a.WhatsApp:
		s = append(s, "I asked our support team, also on WhatsApp.")
	default:
		s = append(s, "I asked our support team.")
	}
	switch {
	case a.Lane && a.Again:
		s = append(s, "All in this room can read this thread.")
	case a.Lane:
		s = append(s, "Everyone in this room can read this thread.")
	case !a.Again:
		s = append(s, "The answer comes here, and only you can read it. What you write here goes to them.")
	}
	if a.Consent {
		s = append(s, ConsentWish)
	}
	w := Say("%s", fmt.Sprintf("#%d · %s", a.Number, strings.Join(s, " ")))
	if a.Question == "" {
		return w
	}
	return Join(w, Say("You asked:"), markup.Quote(Words{Plain: a.Question}))
}

// ConsentWish asks for the leave to send somebody's words to WhatsApp.
const ConsentWish = "May what you write here also go to their WhatsApp? Answers are often faster there. React with ✅ if so."

// JoinedForAsker answers who asks in a thread where support is asked already;
// open: it was closed until now.
func JoinedForAsker(a Asked, open bool) Words {
	words := "Support is asked here already, and reads this, too"
	if open {
		words = "It was closed and is open again: support was told"
	}
	if a.WhatsApp {
		words += ", also on WhatsApp"
	}
	words += "."
	if a.Lane {
		words += " All in this room can read this thread."
	}
	if open {
		words += " If you want to ask something new, ask it once more, outside of the thread and not as a reply."
	}
	if a.Consent {
		words += " " + ConsentWish
	}
	return Say("%s", fmt.Sprintf("#%d · %s", a.Number, words))
}

// Full is a question of somebody who has as many open handoffs as one person may.
type Full struct {
	Number   int64 // the one that it joins
	Open     int
	Question string // repeated where the thread cannot hang on it
}

// FullForAsker answers such a question.
func FullForAsker(f Full) Words {
	words := fmt.Sprintf("#%d · You have %d open requests, as many as one person may have at a time, so I added this to #%d. Close one with `close` and its number if it is done.", f.Number, f.Open, f.Number)
	if f.Question != "" {
		words += "\nYou asked: " + f.Question
	}
	return Say("%s", words)
}

// NoMoreForAsker refuses such a question where there is none in the same place that it
// could join.
func NoMoreForAsker(open int) string {
	return fmt.Sprintf("You have %d open requests, as many as one person may have at a time, and none of them is here. Close one with `close` and its number, then ask again.", open)
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
	out := "I took your words out of the lane: nobody else shall read them there."
	switch {
	case t.Again && t.Customer:
		out += " If you ask again, ask here."
	case t.Again:
		out += " If you ask again, ask there, with --private before all other words: what you ask here can go to WhatsApp, too."
	}
	return Join(Say("%s", t.Why+" "+out), Say("You wrote:"), markup.Quote(Words{Plain: t.Words}))
}

// TooMuchForAsker says that words are not carried, as they are too many.
func TooMuchForAsker(n int64, limit int) Words {
	return Say("%s", fmt.Sprintf("#%d · That is more than %d messages in a minute: this one, and what you write in the rest of that minute, was not passed on. What you wrote before was. Please wait a minute and send it again.", n, limit))
}

// ClosedForAsker tells that a handoff ended; by is the name to show.
func ClosedForAsker(n int64, by string) Words {
	return Say("%s", fmt.Sprintf("%s closed #%d. Write here if you need more.", by, n))
}

// EndedForAsker tells somebody who is in no project any more that nobody reads on.
func EndedForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d has ended: you are not in the project any more. What you write about it reaches nobody.", n))
}

// EndedForStaff says in the card's thread why a conversation has ended.
func EndedForStaff(n int64, asker string) Words {
	return Say("%s", fmt.Sprintf("%s is not in the project any more, so I closed #%d. What they write reaches nobody.", asker, n))
}

// WhichForAsker asks to which of several questions somebody's words belong.
func WhichForAsker(numbers []int64) Words {
	return Say("%s", "Is that for "+tags(numbers, " or ")+"? I did not send it, because not the same people read them. Please send it again as a reply to a message of the one you mean.")
}

// WhichOfYours asks which of somebody's own questions a command means.
func WhichOfYours(numbers []int64) string {
	return fmt.Sprintf("Which one? %s are open here. Write it with the number, like #%d, or as a reply to a message of the one you mean.", tags(numbers, " and "), numbers[0])
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
	return Say("That reads like a command, so I sent it to nobody. To have it done, write %s. To send it as words, put it in quotes: %s.", Code(prefix+" "+words), Code("\""+words+"\""))
}

// HintForAsker says how to answer an answer.
func HintForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d · This stays in the room. If it is for our support team, write it in the thread of your question, or as a reply to their answer.", n))
}

// ReopenedForAsker tells that a handoff goes on.
func ReopenedForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d is open again. Our support team was told.", n))
}

// NotCarriedForAsker answers a file in the thread.
func NotCarriedForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d · I cannot pass files on yet: this one was not carried to the support team. Please say in words what it shows.", n))
}

// UndeliveredForAsker is said at a message that WhatsApp did not deliver.
func UndeliveredForAsker(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d · WhatsApp did not deliver this. Our support team has it in Matrix and was told; you need not write it again.", n))
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
	return Say("(nothing any more: the message was edited and is shorter now)")
}

// Card is what staff read of a handoff at a glance.
type Card struct {
	Number   int64
	Asker    Pill
	Place    string // "Acme website, customer lane", "direct chat"
	Question Words
	State    string // open, taken, closed
	Owner    string // name, "" if nobody
	Phone    bool   // the owner answers on WhatsApp
	Closer   string // who closed it
	InMatrix bool   // words do not leave Matrix
	Consent  bool   // the asker has not agreed to WhatsApp yet
}

// CardForStaff is the card of a handoff in the super-admin room.
func CardForStaff(c Card) Words {
	lines := []Words{Say("#%d · %s asks · %s", c.Number, c.Asker, c.Place)}
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
		state = c.Owner + " answers on WhatsApp."
	case c.Owner != "":
		state = c.Owner + " answers, in this thread."
	default:
		state = "Open: react with ✋ to take it, then answer in this thread."
	}
	if c.State != "closed" && c.InMatrix {
		state += " It waits in Matrix: its words do not go to WhatsApp."
	}
	if c.State != "closed" && c.Consent {
		state += " The asker has not agreed to WhatsApp yet."
	}
	return Join(append(lines, Say("%s", state))...)
}

// ContextForStaff is what was said before a question.
func ContextForStaff(said []Words) Words {
	return Join(append([]Words{Say("Before that, in the same room:")}, said...)...)
}

// KeptForStaff says why somebody's words in a card's thread stay there.
func KeptForStaff(prefix string, n int64, state, owner string) Words {
	switch {
	case state == "closed":
		return Sentence(fmt.Sprintf("🔒 #%d is closed, so this was not sent. Write `%s reopen` first.", n, prefix))
	case owner != "":
		return Sentence(fmt.Sprintf("🔒 %s owns #%d, so your words stay among staff. `%s take --force` makes it yours.", owner, n, prefix))
	}
	return Say("%s", fmt.Sprintf("🔒 Nobody owns #%d yet, so your words stay among staff. React with ✋ on the card to take it.", n))
}

// UnsentForStaff shows an answer from WhatsApp that did not go to the asker.
func UnsentForStaff(name, why string, w Words) Words {
	return Spoken("🔒 "+name, "WhatsApp, not sent: "+why, w)
}

// FileForStaff stands for a file that was not carried; its name is not shown.
func FileForStaff() Words { return Say("(a file that was not carried)") }

// NotCarriedForStaff answers a file of the owner.
func NotCarriedForStaff() Words {
	return Say("I cannot pass files on yet: this was not sent to the asker.")
}

// OwnedForStaff answers ✋ on the card of what another owns.
func OwnedForStaff(prefix string, n int64, owner string) Words {
	return Sentence(fmt.Sprintf("%s owns #%d. `%s take #%d --force` makes it yours.", owner, n, prefix, n))
}

// SignOfCardForStaff answers another reaction on a handoff's card.
func SignOfCardForStaff(n int64) Words {
	return Say("#%d · One reaction counts on the card: ✋ makes the question yours.", n)
}

// TakenOverForStaff tells the former owner that another answers now.
func TakenOverForStaff(n int64, by string) Words {
	return Say("%s", fmt.Sprintf("%s took over #%d: your words here stay among staff now.", by, n))
}

// FreedForStaff tells staff that nobody owns a handoff and WhatsApp cannot help.
func FreedForStaff(n int64) Words {
	return Say("%s", fmt.Sprintf("Nobody owns #%d, and nobody on WhatsApp can be asked. Please take it with ✋ on the card.", n))
}

// UnreachableForStaff says that a phone could be sent nothing.
func UnreachableForStaff(n int64, name string) Words {
	return Say("%s", fmt.Sprintf("Nothing could be sent to %s on WhatsApp for #%d: %s wrote nothing there in the last 24 hours, and no template is set up (whatsapp.template_sid). It goes out once %s writes to our number.", name, n, name, name))
}

// FailedForStaff says that a line did not reach an agent; why is Twilio's reason.
func FailedForStaff(n int64, name, why string) Words {
	return Say("%s", fmt.Sprintf("#%d · This did not reach %s on WhatsApp: %s. Somebody else can take it with ✋ on the card.", n, name, why))
}

// UnknownForStaff says that nobody knows whether a line reached an agent.
func UnknownForStaff(n int64, name string) Words {
	return Say("%s", fmt.Sprintf("#%d · Whether this reached %s on WhatsApp is not known: Twilio took it and has said nothing of it for half a day. Ask %s, or let somebody else take it with ✋ on the card.", n, name, name))
}

// LostForStaff says that an answer did not reach the asker's thread.
func LostForStaff(n int64) Words {
	return Say("%s", fmt.Sprintf("#%d · This did not reach the asker: the homeserver refused it. The asker may have left the room. Try another way, or send it again later.", n))
}

// StrangersForStaff says that no more unknown numbers are named.
func StrangersForStaff(n int) Words {
	return Say("%s", fmt.Sprintf("More than %d unknown numbers wrote to us on WhatsApp today. They get no answer, and I name no more of them until tomorrow.", n))
}

// AbsentForStaff tells that an answer stands in a room where its asker does not read
// it any more or, if they are still there, cannot reply.
func AbsentForStaff(n int64, gone bool) Words {
	if gone {
		return Say("%s", fmt.Sprintf("#%d · The asker is not in that room any more and does not read this. Reach them in another way, or close it.", n))
	}
	return Say("%s", fmt.Sprintf("#%d · The project is archived: the asker reads this and cannot reply. Restore the project if they shall.", n))
}

// RemovedForStaff says why nothing goes to who asked in private any more.
func RemovedForStaff(n int64) string {
	return fmt.Sprintf("Who asked #%d was taken out of the project, so nothing of it reaches them. Add them to the project again if it shall go on.", n)
}

// StrangerForStaff tells of a message from a number that is no agent's.
func StrangerForStaff(number string) Words {
	return Say("%s", fmt.Sprintf("Somebody wrote to us on WhatsApp from %s, which is no agent's number. They got no answer. If they should be an agent, add them to whatsapp.agents.", number))
}

// OptedOutForStaff tells that an agent does not want messages any more.
func OptedOutForStaff(name string) Words {
	return Say("%s", fmt.Sprintf("%s wrote STOP on WhatsApp: Twilio sends nothing there until %s writes START.", name, name))
}

// ConsentedForStaff tells that the asker's words may go to WhatsApp now, or not any more.
func ConsentedForStaff(name string, given bool) Words {
	if given {
		return Say("%s", name+" agreed: what was written here went to WhatsApp, too.")
	}
	return Say("%s", name+" took that back: nothing more goes to WhatsApp.")
}

// ReactionForStaff is a reaction of an asker's that is shown as words.
func ReactionForStaff(name string, key Words) Words {
	return Spoken(name, "reaction", key)
}

// HandoffForStaff is a handoff in a list.
func HandoffForStaff(n int64, asker Pill, place, state, owner string) Words {
	if owner != "" {
		state += ", " + owner
	}
	return Say("#%d · %s · %s · %s", n, asker, place, state)
}

// HandoffsForStaff is a list of handoffs.
func HandoffsForStaff(lines []Words) Words {
	if len(lines) == 0 {
		return Say("Nothing is open.")
	}
	return Join(lines...)
}

// TakenForStaff answers `take`.
func TakenForStaff(n int64, changed bool) Words {
	if !changed {
		return Say("%s", fmt.Sprintf("#%d is yours already.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is yours: what you write in the card's thread goes to the asker.", n))
}

// ReleasedForStaff answers `release`.
func ReleasedForStaff(n int64, changed bool) Words {
	if !changed {
		return Say("%s", fmt.Sprintf("Nobody owns #%d.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is free again. The others were asked.", n))
}

// ClosedForAnyone answers `close`; here: in the asker's thread.
func ClosedForAnyone(n int64, changed, here bool) Words {
	switch {
	case !changed:
		return Say("%s", fmt.Sprintf("#%d was closed already.", n))
	case here:
		return Say("%s", fmt.Sprintf("#%d is closed. Write here if you need more.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is closed. Whoever asked can write in its thread if they need more.", n))
}

// ReopenedForAnyone answers `reopen`.
func ReopenedForAnyone(n int64, changed bool) Words {
	if !changed {
		return Say("%s", fmt.Sprintf("#%d is open.", n))
	}
	return Say("%s", fmt.Sprintf("#%d is open again. Support was told.", n))
}
