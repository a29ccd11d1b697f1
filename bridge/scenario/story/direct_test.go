package story_test

import (
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// TestDirectChats is a question in a direct chat as each person lives it: the customer who asks, the expert who asks
// something in private, the agent on WhatsApp, and the one who answers in Matrix.
func TestDirectChats(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, directChats) }

// plain is what the bot says in a direct chat as a reply to an event, in no thread.
func plain(event string) lab.Match {
	return func(e lab.Event) bool { return e.Thread() == "" && e.ReplyTo() == event }
}

func directChats(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert()
	carl, xena, root := w.Person("carl"), w.Person("xena"), w.Person("root")
	direct := w.Direct("carl")

	// The customer: commands are answered by plain replies, and so is what was asked.
	w.Must("carl", direct, "version")
	carl.Wait("the version", lab.From(w.Bot()), lab.In(direct), func(e lab.Event) bool { return e.Thread() == "" && e.ReplyTo() != "" })
	asked := w.Must("carl", direct, "human Am I overpaying?")
	n := asked.Number("handoff")
	if asked.Answer.Thread() != "" || asked.Answer.ReplyTo() != asked.Command {
		t.Errorf("the first notice: %s", asked.Answer.Raw)
	}
	line := w.Phones.WaitSent(lab.Dana, "the question", "overpaying")
	more := carl.Text(direct, "I compared three offers.")
	carl.Wait("that it went to the agents", lab.Reacts(more, "📤"))
	w.Phones.WaitSent(lab.Dana, "what Carl added", "three offers")
	w.Phones.Answer(lab.Dana, "No, it is the usual price.", emulator.Reply{Quoted: line.SID})
	answer := carl.Wait("Dana's answer", lab.In(direct), lab.Says("the usual price"), plain(more))
	if answer.Notice() || !answer.Mentions(carl.ID) || !strings.HasPrefix(answer.Body(), "**Dana:**") {
		t.Errorf("the answer: %s", answer.Raw)
	}

	// What reads like a command goes to nobody.
	held := carl.Text(direct, "who "+slug)
	carl.Wait("how to do either", lab.From(w.Bot()), plain(held), lab.Says("!lane who "+slug))

	// The expert asks in private from a lane of staff: the talk goes on in the direct chat, and WhatsApp reads nothing of it.
	command := xena.Text(rooms["internal"], "!lane human --private What is the margin?")
	xena.Wait("that the command is gone", func(e lab.Event) bool {
		return e.Type == "m.room.redaction" && strings.Contains(string(e.Raw), command)
	})
	private := xena.Wait("the first notice", lab.From(w.Bot()), w.InDirect("xena"), lab.Says("What is the margin?"))
	alone := private.Room
	m := int(private.Object("lanekeeper.result")["handoff"].(float64))
	card := w.Card("root", lab.HandoffCard, m)
	root.InThread(card.Room, card.ID, "take")
	w.WaitCard("root", lab.HandoffCard, m, "taken")
	root.InThread(card.Room, card.ID, "Sixty percent.")
	xena.Wait("root's answer", lab.In(alone), lab.Says("Sixty percent"), func(e lab.Event) bool { return e.Thread() == "" })

	// With a second question that leaves, she is asked which one she means.
	second := w.Must("xena", alone, "!lane human How do I change my password?")
	either := xena.Text(alone, "CANARY and is that before tax?")
	xena.Wait("the question which", lab.From(w.Bot()), plain(either), lab.Says(fmt.Sprintf("#%d or #%d", m, second.Number("handoff"))))
	xena.Reply(alone, private.ID, "Is that before tax?")
	root.Wait("her reply", lab.In(card.Room), lab.Says("before tax"))
	w.Phones.Write(lab.Dana, fmt.Sprintf("#%d With forgot my password.", second.Number("handoff")))
	xena.Wait("an answer with its number", lab.In(alone), lab.Says(fmt.Sprintf("#%d · **Dana:**", second.Number("handoff"))))

	// Bare words end it, for whoever answers and for whoever asked.
	root.InThread(card.Room, card.ID, fmt.Sprintf("close #%d", m))
	w.WaitCard("root", lab.HandoffCard, m, "closed")
	carl.Text(direct, "close")
	w.WaitCard("root", lab.HandoffCard, n, "closed")
	w.Phones.Write(lab.Dana, "done")
	w.WaitCard("root", lab.HandoffCard, second.Number("handoff"), "closed")
	for _, sent := range w.Phones.Sent("") {
		for _, words := range []string{"margin", "Sixty", "before tax", "CANARY", "who " + slug} {
			if strings.Contains(sent.Body, words) {
				t.Errorf("%q stands on WhatsApp", sent.Body)
			}
		}
	}
}
