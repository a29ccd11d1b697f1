package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// chapters of the story.
var chapters = []string{
	"A project has lanes: rooms that each have one audience",
	"An expert joins: she sees the internal lane, and nothing of the customer’s",
	"Nobody gets louder without an approval",
	"Carl asks for a human: it reaches WhatsApp, and the answer comes back",
	"Xena asks in private, and Eli’s tap lets everything through that waits for him",
}

// projects are what plays are about, one after the other.
var projects = []struct{ slug, name string }{{"acme", "Acme website"}, {"birch", "Birch shop"}, {"cedar", "Cedar app"}}

// tell tells the story, and gives what did not happen. Each play has a project of its own.
func tell(ctx context.Context, w *world, out *transcript, play int) error {
	s := &story{world: w, ctx: ctx, out: out, began: time.Now(), heard: map[string]int{}, rooms: map[string]string{}}
	for name, p := range w.people {
		s.heard[name] = len(p.Heard())
	}
	slug, name := fmt.Sprintf("project-%d", play), fmt.Sprintf("Project %d", play)
	if play <= len(projects) {
		slug, name = projects[play-1].slug, projects[play-1].name
	}
	project := s.project(slug, name)
	s.expert(project)
	s.request(project)
	s.private(s.question(project), play)
	s.apart(project)
	return s.err
}

// lanes are the rooms of the project.
type lanes struct{ customer, internal, notes string }

// project: root makes a project, and everybody finds their rooms.
func (s *story) project(slug, name string) lanes {
	s.chapter(1, "Root makes a project with one sentence. Carl, the customer, gets one room of it; Mia, who manages it, gets all.")
	chat := s.chat("root")
	made := s.commands("root", chat, fmt.Sprintf(`project create %s %q --profile agency --customer %s --manager %s`, slug, name, id("carl"), id("mia")))
	rooms, _ := made.Object("lanekeeper.result")["rooms"].(map[string]any)
	room := func(kind, word string) string {
		id, _ := rooms[kind].(string)
		s.call(id, word+" · "+name)
		return id
	}
	l := lanes{room("customer", "Customer"), room("internal", "Internal"), room("notes", "Notes")}
	s.accepts("carl", l.customer)
	s.accepts("mia", room("space", "Project"), l.customer, l.internal, l.notes)
	s.says("carl", l.customer, "Hi, I am Carl. I need a landing page, and our logo on it.")
	s.says("mia", l.customer, "Welcome, Carl! You will hear from us today.")
	return l
}

// expert: an expert is accepted, and is in the internal lane alone.
func (s *story) expert(l lanes) {
	s.chapter(2, "Xena is let into the lane where the work is done. What is said there never reaches Carl.")
	s.commands("mia", l.internal, "!lane accept "+id("xena"))
	s.accepts("xena", l.internal)
	s.says("xena", l.internal, "I can start tomorrow. Who knows which logo they mean?")
}

// request: she asks for the customer lane, and an approval opens it.
func (s *story) request(l lanes) {
	s.chapter(3, "Xena would like to ask Carl herself. Mia gets a card about it, and one reaction decides.")
	before := append(s.people["xena"].Rooms("invite"), l.customer)
	answer := s.commands("xena", l.internal, "!lane request customer text to ask Carl about the logo")
	number := answer.Object("lanekeeper.result")["request"]
	card := s.sees("mia", "the card of the request", func(e lab.Event) bool {
		return e.Object("lanekeeper.request")["number"] == number
	})
	s.reacts("mia", card.Room, card.ID, "✅", "the card")
	s.accepts("xena", l.customer)
	s.reached("xena", "what she may do now", before, func(e lab.Event) bool {
		formatted, _ := e.Content["formatted_body"].(string)
		return e.Sender == s.bot() && e.Room != l.internal && e.Room != l.customer && strings.Contains(formatted, l.customer)
	})
	s.says("xena", l.customer, "Hello Carl! Which logo shall I use, the round one?")
	s.says("carl", l.customer, "The round one, please.")
}

// question: a reaction reaches a human, and the answer comes back.
func (s *story) question(l lanes) (wake emulator.Message) {
	s.chapter(4, "One 🙋 on his own message is enough. Dana answers from her phone, and never needs Matrix; Root sees a card of it.")
	s.phones.CloseWindow(eli.Number) // it is open if the story was played before
	s.writes(dana, "?", emulator.Message{})
	s.gets(dana, "quote a")
	question := s.says("carl", l.customer, "When will my invoice 4711 be paid?")
	s.reacts("carl", l.customer, question, "🙋", "his question")
	opened := s.sees("carl", "that support was asked", func(e lab.Event) bool {
		return e.Thread() == question && e.Object("lanekeeper.result") != nil
	})
	number := opened.Object("lanekeeper.result")["handoff"]
	line := s.gets(dana, "invoice 4711")
	wake = s.gets(eli, fmt.Sprint(number), "Tap")
	s.note("Dana has just written, so WhatsApp lets us write to her. Eli has not for a day: all he may get is a template.")
	s.writes(dana, "Tomorrow at noon. I checked with finance.", line)
	answer := s.sees("carl", "Dana’s answer", func(e lab.Event) bool {
		return e.Thread() == question && strings.Contains(e.Body(), "Tomorrow at noon")
	})
	s.card(number, "taken")
	s.answers("carl", answer, "Great, thanks! And who signs it off?")
	line = s.gets(dana, "who signs it off")
	s.writes(dana, "Mia does, today.", line)
	s.sees("carl", "Dana’s second answer", func(e lab.Event) bool {
		return e.Thread() == question && strings.Contains(e.Body(), "Mia does")
	})
	s.writes(dana, fmt.Sprintf("done %v", number), emulator.Message{})
	s.gets(dana, "Closed")
	s.card(number, "closed")
	return wake
}

// private: a question from a direct chat, answered by an agent whose 24 hours were over.
func (s *story) private(wake emulator.Message, play int) {
	s.chapter(5, "In the direct chat with Lanekeeper nobody else of the project reads along.")
	chat := s.chat("xena")
	words := "human May I show the draft on my own site?"
	if play > 1 { // a question may still be open here: then only this is a command
		words = "!lane " + words
	}
	opened := s.commands("xena", chat, words)
	number := opened.Object("lanekeeper.result")["handoff"]
	s.taps(eli, wake, "Show")
	line := s.gets(eli, "draft on my own site")
	s.writes(eli, "Yes, once the customer has seen it.", line)
	s.sees("xena", "Eli’s answer", func(e lab.Event) bool {
		return e.Room == chat && strings.Contains(e.Body(), "once the customer")
	})
	s.card(number, "taken")
	s.says("xena", chat, fmt.Sprintf("close #%v", number))
	s.card(number, "closed")
}

// apart: what was not for the customer never came near him.
func (s *story) apart(l lanes) {
	for _, secret := range []string{l.internal, l.notes, "Who knows which logo", "to ask Carl about", "draft on my own site"} {
		s.never("carl", secret)
	}
	if s.step() {
		s.note("And Carl? Nothing that the homeserver ever sent him names the internal lane, the notes, Xena’s request or her question.")
	}
}
