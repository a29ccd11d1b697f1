package text

import (
	"fmt"
	"html"
	"strings"

	"lanekeeper/bridge/markup"
)

// What askers read about their questions.

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
