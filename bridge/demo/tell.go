package demo

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// patience is how long anything that should happen may take, on a busy computer too.
const patience = time.Minute

// story is the telling: what people do, and what they see then, from their own
// clients and phones. After the first thing that fails nothing more is done, and
// err says what did not happen.
type story struct {
	*world
	ctx   context.Context
	out   *transcript
	began time.Time         // what came before is of another play
	heard map[string]int    // who → how much they had heard then
	rooms map[string]string // what people call a room, by its id
	err   error
}

// failed notes the first failure, and tells whether there is one.
func (s *story) failed(err error) bool {
	if s.err == nil && err != nil && s.ctx.Err() != nil {
		err = context.Cause(s.ctx)
	}
	if s.err == nil {
		s.err = err
	}
	return s.err != nil
}

// chapter begins a part of the story; the lead says what to watch.
func (s *story) chapter(n int, lead string) {
	if s.step() {
		s.out.chapter(n, chapters[n-1], lead)
		s.director.chapter(lead)
	}
}

// step waits until the next thing may happen. False: it does not happen.
func (s *story) step() bool { return s.err == nil && !s.failed(s.director.step(s.ctx)) }

// tells shows what somebody says somewhere, does what they do there.
func (s *story) tells(who, where, words string) {
	s.out.says(who, where, words)
	s.director.tell(line{Who: who, Where: where, Words: words})
}

func (s *story) does(who, where, what string) {
	s.out.does(who, where, what)
	s.director.tell(line{Who: who, Where: where, Words: what, Act: true})
}

// note is what whoever watches should know.
func (s *story) note(words string) {
	if s.err != nil {
		return
	}
	s.out.note(words)
	s.director.tell(line{Words: words})
}

// refused notes that the homeserver did not do what somebody wanted.
func (s *story) refused(name string, r lab.Response) bool {
	if r.OK() {
		return false
	}
	return s.failed(fmt.Errorf("%s: the homeserver answers %s", title(name), r))
}

// call gives a room its name.
func (s *story) call(room, name string) { s.rooms[room] = name }

func (s *story) where(e lab.Event) string {
	place := s.rooms[e.Room]
	if e.Thread() != "" {
		place += ", thread"
	}
	return place
}

// sends sends a message as a person, and shows it.
func (s *story) sends(name, room string, content map[string]any) (id string) {
	if !s.step() {
		return ""
	}
	s.director.look(name, place{Room: room})
	r := s.people[name].TrySend(room, "m.room.message", content)
	if !s.refused(name, r) {
		s.show(name, lab.Event{Sender: s.people[name].ID, Room: room, Content: content})
	}
	return r.Field("event_id")
}

// says says something in a room.
func (s *story) says(name, room, words string) string {
	return s.sends(name, room, map[string]any{"msgtype": "m.text", "body": words})
}

// answers sends a message in a thread, as clients do: with a fallback for those
// that know no threads.
func (s *story) answers(name string, e lab.Event, words string) string {
	root := e.Thread()
	if root == "" {
		root = e.ID
	}
	return s.sends(name, e.Room, map[string]any{"msgtype": "m.text", "body": words, "m.relates_to": map[string]any{
		"rel_type": "m.thread", "event_id": root, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": root},
	}})
}

// reacts puts an emoji at an event.
func (s *story) reacts(name, room, id, key, to string) {
	if !s.step() {
		return
	}
	s.director.look(name, place{Room: room, Event: id})
	if !s.refused(name, s.people[name].TrySend(room, "m.reaction", map[string]any{"m.relates_to": map[string]any{
		"rel_type": "m.annotation", "event_id": id, "key": key,
	}})) {
		s.does(title(name), s.where(lab.Event{Room: room}), "reacts with "+key+" to "+to)
	}
}

// sees waits until a person sees something that matches, and shows it.
func (s *story) sees(name, what string, match func(lab.Event) bool) lab.Event {
	found := s.finds(name, what, match)
	s.show(name, found)
	if s.err == nil {
		s.director.look(name, place{Room: found.Room, Event: found.ID})
	}
	return found
}

// finds is sees without a word.
func (s *story) finds(name, what string, match func(lab.Event) bool) (found lab.Event) {
	if s.err != nil {
		return lab.Event{}
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	found, ok := s.people[name].WaitFor(ctx, s.new, match)
	if !ok {
		s.failed(fmt.Errorf("%s did not see %s within %s", title(name), what, patience))
	}
	return found
}

// new matches what came in this play.
func (s *story) new(e lab.Event) bool { return !e.Arrived.Before(s.began) }

// matrixTo is a link to a room, as the bot writes it.
var matrixTo = regexp.MustCompile(`https://matrix\.to/#/(![^?\s]+)(\?\S*)?`)

// show shows what a person has said or found.
func (s *story) show(name string, e lab.Event) {
	if s.err != nil {
		return
	}
	words := matrixTo.ReplaceAllStringFunc(e.Body(), func(link string) string {
		return "[link to " + s.rooms[matrixTo.FindStringSubmatch(link)[1]] + "]"
	})
	s.tells(s.sender(name, e), s.where(e), words)
}

func (s *story) sender(reader string, e lab.Event) string {
	sender := e.Sender
	for _, m := range s.people[reader].Events(lab.OfType("m.room.member")) {
		if name, _ := m.Content["displayname"].(string); name != "" && m.StateKey != nil && *m.StateKey == e.Sender {
			sender = name
		}
	}
	return sender
}

// accepts accepts invitations as they come, unless somebody at the page has done it.
func (s *story) accepts(name string, rooms ...string) {
	if !s.step() {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	p := s.people[name]
	var called []string
	for _, room := range rooms {
		if !p.Until(ctx, func() bool { m := p.Membership(room); return m == "invite" || m == "join" }) {
			s.failed(fmt.Errorf("%s was not invited to %s within %s", title(name), s.rooms[room], patience))
			return
		}
		if p.Membership(room) == "invite" && s.refused(name, p.Join(room)) {
			return
		}
		s.director.look(name, place{Room: room})
		if !p.Until(ctx, func() bool { return p.Membership(room) == "join" }) {
			s.failed(fmt.Errorf("%s was not in %s within %s", title(name), s.rooms[room], patience))
			return
		}
		called = append(called, s.rooms[room])
	}
	what := "accepts the invitation"
	if len(rooms) > 1 {
		what = fmt.Sprintf("accepts %d invitations", len(rooms))
	}
	s.does(title(name), strings.Join(called, ", "), what)
}

// reached waits for something that the bot says to a person in their direct chat.
// One that is new they accept: it is the invitation that is not among those.
func (s *story) reached(name, what string, not []string, match lab.Match) (found lab.Event) {
	if s.err != nil {
		return found
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	p, invited := s.people[name], ""
	if !p.Until(ctx, func() (ok bool) {
		for _, room := range p.Rooms("invite") {
			if !slices.Contains(not, room) {
				invited = room
			}
		}
		found, ok = p.Saw(s.new, match)
		return ok || invited != ""
	}) {
		s.failed(fmt.Errorf("%s did not see %s within %s", title(name), what, patience))
	}
	if found.ID == "" {
		s.call(invited, title(name)+"’s chat with Lanekeeper")
		s.accepts(name, invited)
		found = s.finds(name, what, match)
	}
	s.chats[name] = found.Room
	s.call(found.Room, title(name)+"’s chat with Lanekeeper")
	s.director.look(name, place{Room: found.Room, Event: found.ID})
	s.show(name, found)
	return found
}

// commands sends a command, waits for its answer, and shows both. The answer has
// to be a good one.
func (s *story) commands(name, room, words string) lab.Event {
	id := s.says(name, room, words)
	answer := s.sees(name, fmt.Sprintf("an answer to %q", words), func(e lab.Event) bool {
		return e.Object("lanekeeper.result") != nil && (e.Thread() == id || e.ReplyTo() == id)
	})
	if ok, _ := answer.Object("lanekeeper.result")["ok"].(bool); s.err == nil && !ok {
		s.failed(fmt.Errorf("%q was refused: %s", words, answer.Body()))
	}
	return answer
}

// chat is a person's direct chat with the bot; the first time they open it.
func (s *story) chat(name string) (room string) {
	if room = s.chats[name]; room != "" && s.people[name].Membership(room) == "join" {
		s.call(room, title(name)+"’s chat with Lanekeeper")
		return room
	}
	if s.err != nil {
		return ""
	}
	made := s.people[name].Do(http.MethodPost, "/createRoom", map[string]any{
		"is_direct": true, "preset": "trusted_private_chat", "invite": []string{s.bot()},
	})
	if s.refused(name, made) {
		return ""
	}
	room = made.Field("room_id")
	s.chats[name] = room
	s.call(room, title(name)+"’s chat with Lanekeeper")
	s.finds(name, "the bot in the direct chat", func(e lab.Event) bool {
		return e.Room == room && e.Type == "m.room.member" && e.StateKey != nil && *e.StateKey == s.bot() && e.Content["membership"] == "join"
	})
	return room
}

// gets waits until a phone gets a message with all these words, and shows it. It
// is delivered then: the bridge has heard of it from Twilio and knows it when it
// is quoted.
func (s *story) gets(phone emulator.Phone, words ...string) (found emulator.Message) {
	if s.err != nil {
		return found
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if !s.phones.Wait(ctx, func(all []emulator.Message) bool {
		i := slices.IndexFunc(all, func(m emulator.Message) bool {
			return m.Phone == phone.Number && !m.Inbound && !m.At.Before(s.began) && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(m.Text(), w) })
		})
		if i >= 0 {
			found = all[i]
		}
		return i >= 0 && slices.Contains(s.phones.Reported(found.SID), "delivered")
	}) {
		s.failed(fmt.Errorf("%s’s phone did not get %q within %s", phone.Name, words, patience))
		return found
	}
	where := "on " + phone.Name + "’s phone"
	s.director.look(handle(phone), place{})
	s.tells("Lanekeeper", where, found.Text())
	for _, b := range found.Buttons() {
		s.tells("Lanekeeper", where, "[ "+b.Title+" ]")
	}
	s.phones.Read(phone.Number)
	return found
}

// writes writes on a phone, as an answer to a message if there is one.
func (s *story) writes(phone emulator.Phone, words string, to emulator.Message) {
	if !s.step() {
		return
	}
	s.director.look(handle(phone), place{})
	where := "on WhatsApp"
	if to.SID != "" {
		where += ", quoting that"
	}
	s.tells(phone.Name, where, words)
	_, err := s.phones.Send(phone.Number, words, emulator.Reply{Quoted: to.SID})
	s.failed(err)
}

// taps taps the button of a template that has this title.
func (s *story) taps(phone emulator.Phone, m emulator.Message, button string) {
	if !s.step() {
		return
	}
	s.director.look(handle(phone), place{})
	for _, b := range m.Buttons() {
		if b.Title == button {
			s.does(phone.Name, "on WhatsApp", "taps [ "+button+" ]")
			_, err := s.phones.Tap(phone.Number, m.SID, b.Payload)
			s.failed(err)
			return
		}
	}
	s.failed(fmt.Errorf("the message on %s’s phone has no button %q", phone.Name, button))
}

// card waits until the card of a handoff in the super-admin room has a state, and
// shows its newest words.
func (s *story) card(number any, state string) {
	e := s.finds("root", fmt.Sprintf("the card of #%v say %q", number, state), func(e lab.Event) bool {
		c := e.Object("lanekeeper.handoff")
		return c["number"] == number && c["state"] == state
	})
	if s.err == nil {
		s.call(e.Room, "the super-admin room")
		card := e.ID
		if e.Replaces() != "" {
			card = e.Replaces()
		}
		s.director.look("root", place{Room: e.Room, Event: card})
		s.tells(s.sender("root", e), s.where(e)+", card of the question", newest(e))
	}
}

// never fails if a person's client got these words in any answer.
func (s *story) never(name, words string) {
	if s.err == nil && strings.Contains(s.people[name].Heard()[s.heard[name]:], words) {
		s.failed(fmt.Errorf("%s heard %q", title(name), words))
	}
}

// newest is what an edit says, or the message itself.
func newest(e lab.Event) string {
	if n, ok := e.Content["m.new_content"].(map[string]any); ok {
		body, _ := n["body"].(string)
		return body
	}
	return e.Body()
}

// handle is a phone's name as the page calls it.
func handle(phone emulator.Phone) string { return strings.ToLower(phone.Name) }
