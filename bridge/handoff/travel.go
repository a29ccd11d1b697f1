package handoff

import (
	"encoding/json"
	"strings"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Origin is where something was said. Words are stored with it, and MayTravel is
// asked with it again for every place that they are taken to.
type Origin struct {
	Room   string       `json:"room,omitempty"`   // room id; "" on WhatsApp
	Lane   project.Kind `json:"lane,omitempty"`   // of lanes
	Direct string       `json:"direct,omitempty"` // MXID of whose direct chat with the bot it is
	Staff  bool         `json:"staff,omitempty"`  // in the super-admin room
	Phone  bool         `json:"phone,omitempty"`  // on WhatsApp
	// Handoff is the one that it was said in, 0 if in none.
	Handoff int64 `json:"handoff,omitempty"`
	// Stays: for no other handoff may it leave Matrix. The one it was said in does
	// not leave, or whoever said it agreed for that one alone.
	Stays bool `json:"stays,omitempty"`
}

// Readers are those who get to read words of a handoff.
type Readers int

const (
	Agents Readers = iota + 1 // on WhatsApp
	Staff                     // in the card's thread
	Askers                    // in the asker's thread
)

// MayTravel decides whether what was said somewhere may be shown to readers of a
// handoff. It is the one place that does: pieces of lines for WhatsApp and what
// Matrix shows of a handoff are made only by functions that ask it.
//
// Only what was asked in the customer lane or in a direct chat leaves Matrix. With
// it goes what was said in the handoff itself, and what was said before it in the
// same room; of a direct chat only what was said in a handoff that leaves, too.
func MayTravel(o Origin, h *Handoff, to Readers) bool {
	own := o.Handoff == h.Number && h.spoken(o)
	switch to {
	case Agents:
		return h.Leaves && (own || h.around(o) && !o.Stays)
	case Staff:
		return own || h.around(o)
	case Askers:
		return own
	}
	return false
}

// spoken reports whether something was said where a handoff takes place: in the
// asker's room, among staff, or on WhatsApp. A private question comes from a lane.
func (h *Handoff) spoken(o Origin) bool {
	switch {
	case o.Phone, o.Staff:
		return true
	case h.Direct:
		return o.Direct != "" && o.Direct == h.First().User || o.Lane != "" && o.Lane == h.Lane
	}
	return h.standsIn(o)
}

// around reports whether something was said in the room where the asker reads the
// answers. A direct chat is many talks: outside of handoffs it is commands.
func (h *Handoff) around(o Origin) bool {
	if h.Direct {
		return o.Direct != "" && o.Direct == h.First().User && o.Handoff != 0
	}
	return h.standsIn(o)
}

func (h *Handoff) standsIn(o Origin) bool {
	return o.Room != "" && o.Room == h.Room && o.Lane == h.Lane
}

// Said is something that somebody said. Its words are shown to nobody but through
// show and piece.
type Said struct {
	Event  string // event id, or MessageSid of a message on WhatsApp
	User   string
	Name   string
	At     Origin
	Words  text.Words
	Markup string // the same in WhatsApp's markup
	File   bool   // it was a file; what stands above is its caption, if anything
	Sent   *File  // that file, if it is known
	// Files came with it from WhatsApp, and Place on the map did.
	Files   []effect.File
	Place   *effect.Media
	ReplyTo string // the message of the asker's thread that it answers, if it does
	Thread  string // root of the thread that it stands in, "" if in none
	Via     string // where it was said, if staff shall read that before the words
}

func (s *Said) empty() bool { return s.Words.Plain == "" }

// show gives the words for readers in Matrix, if they may go there. To staff a file
// is named as one.
func (s *Said) show(h *Handoff, to Readers) (w text.Words, ok bool) {
	if to == Agents || !MayTravel(s.At, h, to) {
		return w, false
	}
	if to == Staff && s.File {
		return text.Join(s.Words, text.FileForStaff(s.Sent.named(), s.passes())), true
	}
	return s.Words, true
}

// Piece is somebody's words in a line for WhatsApp. Outside of this file there is
// none but the empty one: it is made from what was said, if that may go there.
type Piece struct{ p piece }

// piece is what is stored of a Piece.
type piece struct {
	Event string `json:"event,omitempty"` // whose edit or deletion changes the piece
	User  string `json:"user,omitempty"`
	Name  string `json:"name,omitempty"` // put before the words
	Note  string `json:"note,omitempty"` // of ours, behind the name
	Text  string `json:"text"`
	File  bool   `json:"file,omitempty"`  // a file came with it
	Sent  *File  `json:"sent,omitempty"`  // that file, if it is known
	Title string `json:"title,omitempty"` // a line of its own before the piece
	Limit int    `json:"limit,omitempty"` // of what went along as context: the most characters, after an edit, too
	At    Origin `json:"at"`
}

// piece takes what was said into a line of a handoff; of what may not leave Matrix
// nothing.
func (s *Said) piece(h *Handoff) Piece {
	if !MayTravel(s.At, h, Agents) {
		return Piece{}
	}
	return Piece{piece{Event: s.Event, User: s.User, Name: markup.LiteralForWhatsApp(oneLine(s.Name)), Text: s.Markup, File: s.File, Sent: s.Sent, At: s.At}}
}

// Event is whose edit or deletion changes the piece, "" if nobody's.
func (p Piece) Event() string { return p.p.Event }

// User is who said it.
func (p Piece) User() string { return p.p.User }

// Reworded is the piece with what its message says after an edit.
func (p Piece) Reworded(s *Said) Piece {
	p.p.Text, p.p.File, p.p.Sent = s.Markup, s.File, s.Sent
	if p.p.Limit > 0 {
		return p.shortened(p.p.Limit)
	}
	return p
}

// Withdrawn is the piece after its message was deleted.
func (p Piece) Withdrawn() Piece {
	p.p.Text, p.p.File, p.p.Sent = "", false, nil
	return p
}

// empty reports whether nothing is left to be read.
func (p Piece) empty() bool { return p.p.Text == "" && !p.p.File }

func (p Piece) titled(title string) Piece {
	p.p.Title = title
	return p
}

func (p Piece) noted(note string) Piece {
	p.p.Note = note
	return p
}

func (p Piece) shortened(limit int) Piece {
	p.p.Text, p.p.Limit = text.Shorten(p.p.Text, limit), limit
	return p
}

// or is the piece with other words of ours where nothing was said.
func (p Piece) or(words string) Piece {
	if p.empty() {
		p.p.Text = words
	}
	return p
}

// glimpse is what a list on WhatsApp shows of a handoff: who asks, and how the question
// begins, if who asked it lets it go there, whoever joined later.
func (h *Handoff) glimpse() (name, words string) {
	if !h.names() {
		return "", ""
	}
	if q := h.opening(); h.First().Leaves() {
		q.Markup = markup.LiteralForWhatsApp(text.Excerpt(h.Question.Plain, glimpseLimit))
		words = q.piece(h).p.Text
	}
	return oneLine(h.Named().Name), words
}

// names reports whether agents may read who is in a handoff: those who ask, and those of
// us who answer.
func (h *Handoff) names() bool {
	return h.Reaches() && MayTravel(Origin{Handoff: h.Number, Staff: true}, h, Agents)
}

// asks makes what was said the question.
func (h *Handoff) asks(s Said) {
	h.Question, h.File, h.Sent = text.Words{}, false, nil
	if MayTravel(s.At, h, Staff) {
		h.Question, h.File, h.Sent = s.Words, s.File, s.Sent
	}
}

// opening is the question as somebody said it.
func (h *Handoff) opening() Said {
	at := Origin{Handoff: h.Number, Lane: h.Lane, Room: h.Room}
	if h.Direct {
		at = Origin{Handoff: h.Number, Lane: h.Lane, Direct: h.First().User}
	}
	return Said{Event: h.Asked, User: h.First().User, Name: h.First().Name, At: at, Words: h.Question, File: h.File, Sent: h.Sent}
}

// question is what staff read of it.
func (h *Handoff) question() text.Words {
	q := h.opening()
	w, _ := q.show(h, Staff)
	return w
}

// glimpseLimit is how much of a question a list shows, in characters.
const glimpseLimit = 60

// MarshalJSON is for the store alone.
func (p Piece) MarshalJSON() ([]byte, error) { return json.Marshal(p.p) }

// UnmarshalJSON is for the store alone.
func (p *Piece) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &p.p) }

// Keep takes out of a line what may not go to WhatsApp any more, or may not yet: a
// line waits for its turn, and somebody may have taken their consent back.
func (l *Line) Keep(h *Handoff) {
	kept := l.Pieces[:0]
	for _, p := range l.Pieces {
		a := h.Asker(p.User())
		if MayTravel(p.p.At, h, Agents) && (a == nil || a.Leaves()) {
			kept = append(kept, p)
		}
	}
	l.Pieces = kept
}

// Text is what an agent reads, without the tag. A file that goes with the line is sent
// beside it, or stands there as a link, if there is one.
func (l *Line) Text(link string) string {
	var b strings.Builder
	b.WriteString(l.Head)
	for _, p := range l.Pieces {
		if p.empty() {
			continue
		}
		if p.p.Title != "" {
			b.WriteString("\n\n" + p.p.Title)
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if p.p.Name != "" {
			b.WriteString(p.p.Name + p.p.Note + ": ")
		}
		b.WriteString(markup.Said(p.p.Text))
		if !p.p.File {
			continue
		}
		if file := p.p.file(link); file != "" && p.p.Text != "" {
			b.WriteString("\n" + file)
		} else {
			b.WriteString(file)
		}
	}
	return b.String()
}
