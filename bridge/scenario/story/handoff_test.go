package story_test

import (
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// HAND-01, HAND-03, HAND-10: 🙋 on a question brings it to WhatsApp and into the super-admin room; the answer comes back
// into the thread on the question, from a ghost with the agent's name.
func (s *story) askOnWhatsApp(t *testing.T) {
	question := s.carl.Text(s.customer, "When will my invoice 4711 be paid?")
	s.carl.React(s.customer, question, "🙋")
	line := s.Phones.WaitSent(lab.Dana, "the question", "invoice 4711")
	s.Phones.WaitDelivered(line)
	var n int
	if _, err := fmt.Sscanf(line.Body, "*#%d*", &n); err != nil {
		t.Fatalf("the line to Dana begins %.20q", line.Body)
	}
	s.carl.Wait("that other people were asked", lab.InThread(question), func(e lab.Event) bool {
		return e.Notice() && e.Object("lanekeeper.result")["handoff"] == float64(n)
	})
	if card := s.Card("root", lab.HandoffCard, n); card.Room != s.SuperAdmin() {
		t.Errorf("the card stands in %s", card.Room)
	}

	s.Phones.Answer(lab.Dana, "Tomorrow at noon.", emulator.Reply{Quoted: line.SID})
	answer := s.carl.Wait("Dana's answer", lab.In(s.customer), lab.InThread(question), lab.Says("Tomorrow at noon"))
	if !strings.HasPrefix(answer.Sender, "@lanekeeper_agent_") || answer.Notice() || !answer.Mentions(s.carl.ID) {
		t.Errorf("the answer comes from %s, is a notice: %v, mentions Carl: %v", answer.Sender, answer.Notice(), answer.Mentions(s.carl.ID))
	}
	if name := s.carl.Do("GET", "/profile/"+answer.Sender+"/displayname", nil).Field("displayname"); name != "Dana" {
		t.Errorf("the ghost is called %q", name)
	}
	if strings.Contains(s.carl.Heard(), strings.TrimPrefix(lab.Dana, "+")) {
		t.Error("Dana's number is in what Carl can read")
	}
	s.WaitCard("root", lab.HandoffCard, n, "taken")

	s.carl.InThread(s.customer, question, "Thanks, and who signs it off?")
	s.Phones.WaitSent(lab.Dana, "what Carl added", "who signs it off")
	s.Phones.Write(lab.Dana, fmt.Sprintf("done %d", n))
	s.WaitCard("root", lab.HandoffCard, n, "closed")
	s.carl.Wait("that it is closed", lab.InThread(question), lab.Says("marked this as answered"))
}

// HAND-03, HAND-10: taken in the super-admin room; only the owner's words in the thread go to the asker.
func (s *story) askInMatrix(t *testing.T) {
	asked := s.Must("carl", s.customer, "!lane human Can I change the deadline to 3 May?")
	n := asked.Number("handoff")
	card := s.Card("root", lab.HandoffCard, n)
	stays := s.root.InThread(card.Room, card.ID, "Did anybody promise him a date?")
	s.root.Wait("that it stays", lab.Reacts(stays, "🔒"))

	s.Must("root", card.Room, fmt.Sprintf("!lane take #%d", n))
	s.WaitCard("root", lab.HandoffCard, n, "taken")
	goes := s.root.InThread(card.Room, card.ID, "Yes, 3 May is fine.")
	s.carl.Wait("root's answer", lab.In(s.customer), lab.InThread(asked.Command), lab.Says("3 May is fine"))
	s.root.Wait("that it went", lab.Reacts(goes, "📤"))

	s.root.Text(card.Room, "Before anybody moves more dates: ask finance.")
	s.root.InThread(card.Room, card.ID, "close the old draft and send me the new one")
	s.carl.Wait("words of the owner that look like a command", lab.Says("close the old draft and send me the new one"))
	s.Must("root", card.Room, fmt.Sprintf("!lane close #%d", n))
	s.WaitCard("root", lab.HandoffCard, n, "closed")
	for _, words := range []string{"Did anybody promise", "ask finance"} {
		if strings.Contains(s.carl.Heard(), words) {
			t.Errorf("carl heard %q", words)
		}
	}
}

// HAND-11: an answer that could belong to two questions is never guessed.
func (s *story) ambiguous(t *testing.T) {
	s.Must("carl", s.customer, "!lane human Which file formats do you need for the banner?")
	beta := s.Must("xena", s.Direct("xena"), "human Where do I send my invoice?").Number("handoff")
	s.Phones.WaitSent(lab.Eli, "the first question", "file formats")
	s.Phones.WaitSent(lab.Eli, "the second question", "send my invoice")
	before := len(s.Phones.Sent(lab.Eli))
	s.Phones.Write(lab.Eli, "Let me look that up.")
	s.Phones.WaitAfter(lab.Eli, "the question which one was meant", before)
	s.Phones.Write(lab.Eli, fmt.Sprintf("#%d To the address in your contract.", beta))
	s.xena.Wait("the answer to her question", lab.Says("To the address in your contract"))
	for name, words := range map[string][]string{"carl": {"look that up", "in your contract", "send my invoice"}, "xena": {"look that up", "file formats"}} {
		for _, w := range words {
			if strings.Contains(s.Person(name).Heard(), w) {
				t.Errorf("%s heard %q", name, w)
			}
		}
	}
}

// TRUST-15, HAND-04: what is asked in the internal lane is answered in Matrix alone; WhatsApp hears the number and nothing else.
func (s *story) askInternally(t *testing.T) {
	asked := s.Must("xena", s.internal, "!lane human Does the client pay on time?")
	n := asked.Number("handoff")
	s.Phones.WaitSent(lab.Dana, "that a question waits in Matrix", fmt.Sprintf("#%d", n))
	card := s.Card("root", lab.HandoffCard, n)
	s.root.Wait("the question in the super-admin room", lab.In(card.Room), func(e lab.Event) bool {
		return (e.ID == card.ID || e.Thread() == card.ID) && strings.Contains(string(e.Raw), "pay on time")
	})
	s.root.React(card.Room, card.ID, "✋")
	s.WaitCard("root", lab.HandoffCard, n, "taken")
	s.root.InThread(card.Room, card.ID, "Always did, so far.")
	answer := s.xena.Wait("the answer", lab.In(s.internal), lab.InThread(asked.Command), lab.Says("Always did"))
	if !strings.HasPrefix(answer.Sender, "@lanekeeper_agent_") {
		t.Errorf("the answer comes from %s", answer.Sender)
	}
	for _, words := range []string{"pay on time", "Always did"} {
		for _, m := range s.Phones.Sent("") {
			if strings.Contains(m.Body, words) {
				t.Errorf("%q stands on WhatsApp", words)
			}
		}
		if strings.Contains(s.carl.Heard(), words) {
			t.Errorf("carl heard %q", words)
		}
	}
}

// HAND-10: the first to answer owns the question; the other one is told so, and is not heard by the asker.
func (s *story) twoAgents(t *testing.T) {
	n := s.Must("carl", s.customer, "!lane human Can somebody call me about the contract?").Number("handoff")
	s.Phones.WaitSent(lab.Dana, "the question", "about the contract")
	s.Phones.WaitSent(lab.Eli, "the question", "about the contract")
	s.Phones.Write(lab.Dana, fmt.Sprintf("#%d I call you at four.", n))
	s.carl.Wait("Dana's answer", lab.Says("I call you at four"))
	before := len(s.Phones.Sent(lab.Eli))
	s.Phones.Write(lab.Eli, fmt.Sprintf("#%d I can do it, too.", n))
	if line := s.Phones.WaitAfter(lab.Eli, "who owns it", before); !strings.Contains(line.Body, "Dana") {
		t.Errorf("Eli is told %q, not who owns #%d", line.Body, n)
	}
	if strings.Contains(s.carl.Heard(), "I can do it") {
		t.Error("carl heard somebody who does not own the question")
	}
}
