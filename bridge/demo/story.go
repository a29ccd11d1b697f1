package demo

import (
	"context"
	"fmt"
	"strings"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// play tells the story, and gives what did not happen.
func play(ctx context.Context, w *world, out *transcript) error {
	s := &story{world: w, ctx: ctx, out: out, rooms: map[string]string{}}
	project := s.project()
	s.expert(project)
	s.request(project)
	s.private(s.question(project))
	s.apart(project)
	return s.err
}

// lanes are the rooms of the project.
type lanes struct{ customer, internal, notes string }

// project: root makes a project, and everybody finds their rooms.
func (s *story) project() lanes {
	s.out.chapter("A project has lanes: rooms that each have one audience")
	chat := s.chat("root")
	made := s.commands("root", chat, fmt.Sprintf(`project create acme "Acme website" --profile agency --customer %s --manager %s`, id("carl"), id("mia")))
	rooms, _ := made.Object("lanekeeper.result")["rooms"].(map[string]any)
	room := func(kind string) string { id, _ := rooms[kind].(string); return id }
	l := lanes{room("customer"), room("internal"), room("notes")}
	s.call(l.customer, "Customer · Acme website")
	s.call(l.internal, "Internal · Acme website")
	s.call(l.notes, "Notes · Acme website")
	s.joins("carl", l.customer)
	for _, r := range []string{l.customer, l.internal, l.notes} {
		s.joins("mia", r)
	}
	s.says("carl", l.customer, "Hi, I am Carl. I need a landing page, and our logo on it.")
	s.says("mia", l.customer, "Welcome, Carl! You will hear from us today.")
	return l
}

// expert: an expert is accepted, and is in the internal lane alone.
func (s *story) expert(l lanes) {
	s.out.chapter("An expert joins: she sees the internal lane, and nothing of the customer’s")
	s.commands("mia", l.internal, "!lane accept "+id("xena"))
	s.joins("xena", l.internal)
	s.says("xena", l.internal, "I can start tomorrow. Who knows which logo they mean?")
}

// request: she asks for the customer lane, and an approval opens it.
func (s *story) request(l lanes) {
	s.out.chapter("Nobody gets louder without an approval")
	answer := s.commands("xena", l.internal, "!lane request customer text to ask Carl about the logo")
	number := answer.Object("lanekeeper.result")["request"]
	card := s.sees("mia", "the card of the request", func(e lab.Event) bool {
		return e.Object("lanekeeper.request")["number"] == number
	})
	s.reacts("mia", card.Room, card.ID, "✅", "the card")
	s.joins("xena", l.customer)
	told := s.finds("xena", "what she may do now", func(e lab.Event) bool {
		formatted, _ := e.Content["formatted_body"].(string)
		return e.Sender == s.bot() && e.Room != l.internal && e.Room != l.customer && strings.Contains(formatted, l.customer)
	})
	s.call(told.Room, "Xena’s chat with Lanekeeper")
	s.show("xena", told)
	s.says("xena", l.customer, "Hello Carl! Which logo shall I use, the round one?")
	s.says("carl", l.customer, "The round one, please.")
}

// question: a reaction reaches a human, and the answer comes back.
func (s *story) question(l lanes) (wake emulator.Message) {
	s.out.chapter("Carl asks for a human: it reaches WhatsApp, and the answer comes back")
	s.writes(dana, "?", emulator.Message{})
	s.gets(dana, "quote a")
	question := s.says("carl", l.customer, "When will my invoice 4711 be paid?")
	s.reacts("carl", l.customer, question, "🙋", "his question")
	opened := s.sees("carl", "that support was asked", func(e lab.Event) bool {
		return e.Thread() == question && e.Object("lanekeeper.result") != nil
	})
	number := opened.Object("lanekeeper.result")["handoff"]
	line := s.gets(dana, "invoice 4711")
	wake = s.gets(eli, fmt.Sprint(number), "Tap Show")
	s.out.note("Dana has just written, so WhatsApp lets us write to her. Eli has not for a day: all he may get is a template.")
	s.writes(dana, "Tomorrow at noon. I checked with finance.", line)
	answer := s.sees("carl", "Dana’s answer", func(e lab.Event) bool {
		return e.Thread() == question && strings.Contains(e.Body(), "Tomorrow at noon")
	})
	s.card(number, "taken")
	s.answers("carl", answer, "Great, thanks! And who signs it off?")
	s.gets(dana, "who signs it off")
	s.writes(dana, "Mia does, today.", emulator.Message{})
	s.sees("carl", "Dana’s second answer", func(e lab.Event) bool {
		return e.Thread() == question && strings.Contains(e.Body(), "Mia does")
	})
	s.writes(dana, fmt.Sprintf("done %v", number), emulator.Message{})
	s.gets(dana, "Closed")
	s.card(number, "closed")
	return wake
}

// private: a question from a direct chat, answered by an agent whose 24 hours were over.
func (s *story) private(wake emulator.Message) {
	s.out.chapter("Xena asks in private, and Eli’s tap lets everything through that waits for him")
	chat := s.chatOf("xena")
	opened := s.commands("xena", chat, "human May I show the draft on my own site?")
	number := opened.Object("lanekeeper.result")["handoff"]
	s.taps(eli, wake, "Show")
	line := s.gets(eli, "draft on my own site")
	s.writes(eli, "Yes, once the customer has seen it.", line)
	s.sees("xena", "Eli’s answer", func(e lab.Event) bool {
		return e.Room == chat && strings.Contains(e.Body(), "once the customer")
	})
	s.card(number, "taken")
}

// apart: what was not for the customer never came near him.
func (s *story) apart(l lanes) {
	for _, secret := range []string{l.internal, l.notes, "Who knows which logo", "to ask Carl about", "draft on my own site"} {
		s.never("carl", secret)
	}
	if s.err == nil {
		s.out.note("And Carl? Nothing that the homeserver ever sent him names the internal lane, the notes, Xena’s request or her question.")
	}
}
