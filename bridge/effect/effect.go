// Package effect describes what shall happen outside the process as plain data.
// A decision returns effects; they are written to the outbox in the transaction
// of the decision and carried out afterwards, each at least once and visible once.
package effect

import "time"

// Effect is one of its fields; exactly one is set.
type Effect struct {
	Message   *Message   `json:"message,omitempty"`
	Redact    *Redact    `json:"redact,omitempty"`
	Join      *Join      `json:"join,omitempty"`
	Leave     *Leave     `json:"leave,omitempty"`
	Receipt   *Receipt   `json:"receipt,omitempty"`
	WhatsApp  *WhatsApp  `json:"whatsapp,omitempty"`
	File      *File      `json:"file,omitempty"`
	Reconcile *Reconcile `json:"reconcile,omitempty"`
	Timer     *Timer     `json:"timer,omitempty"`
}

// Place says which room. Exactly one of Room, Person, SuperAdmin and Project is
// set; what does not exist yet is waited for (lanes, super-admin room) or opened
// (direct chats) when the effect is carried out.
type Place struct {
	Room       string `json:"room,omitempty"`        // room id
	Person     string `json:"person,omitempty"`      // direct chat of this MXID with the bot
	SuperAdmin bool   `json:"super_admin,omitempty"` // the super-admin room
	Project    string `json:"project,omitempty"`     // project id, with Lane
	Lane       string `json:"lane,omitempty"`
}

// Ref points to an event: an event id ("$…"), or "~ID" for the message that an
// earlier effect with this ID sent. Empty: none.
type Ref string

// To makes a reference to the message of an effect by its ID.
func To(id string) Ref { return Ref("~" + id) }

// Message sends one event. Messages to one place are sent in the order written.
type Message struct {
	ID      string         `json:"id,omitempty"` // globally unique where others refer to it; else empty
	To      Place          `json:"to"`
	From    *Ghost         `json:"from,omitempty"` // nil: the bot
	Type    string         `json:"type,omitempty"` // empty: m.room.message
	Content map[string]any `json:"content"`
	Thread  Ref            `json:"thread,omitempty"`   // m.thread on this root
	ReplyTo Ref            `json:"reply_to,omitempty"` // in a thread: a real reply, not the fallback
	Edits   Ref            `json:"edits,omitempty"`    // m.replace; Content is the new content
	Reacts  Ref            `json:"reacts,omitempty"`   // m.annotation with Key; Type m.reaction
	Key     string         `json:"key,omitempty"`
	Plain   map[string]any `json:"plain,omitempty"` // with From: content for the bot to send if the ghost cannot get in
	Then    []Effect       `json:"then,omitempty"`  // written when it stands
	Else    []Effect       `json:"else,omitempty"`  // written when it can never be sent
}

// Sign is a reaction of the bot on the message of an earlier effect.
func Sign(to Place, id, key string) Effect {
	return Effect{Message: &Message{To: to, Reacts: To(id), Key: key}}
}

// Ghost is a Matrix user of ours that stands for somebody.
type Ghost struct {
	User string `json:"user"` // MXID
	Name string `json:"name"`
}

// Redact removes one event.
type Redact struct {
	In     Place  `json:"in"`
	Target Ref    `json:"target"`
	Reason string `json:"reason,omitempty"`
}

// Join makes the bot accept an invitation.
type Join struct {
	Room   string   `json:"room"`
	Server string   `json:"server,omitempty"` // of who invited: ours may have to ask it
	Then   []Effect `json:"then,omitempty"`
}

// Leave makes the bot leave a room, or refuse an invitation.
type Leave struct {
	Room   string `json:"room"`
	Server string `json:"server,omitempty"` // as in Join
}

// Receipt is m.read of a ghost or the bot for one event.
type Receipt struct {
	Room  string `json:"room"`
	As    string `json:"as,omitempty"`
	Event Ref    `json:"event"`
}

// WhatsApp asks for one stored line to be sent to one phone. The text is read
// from the line when its turn comes, so that an edit before that changes it.
type WhatsApp struct {
	Line int64  `json:"line"`
	To   string `json:"to"` // E.164, with +
}

// Reconcile asks for a project's rooms to be brought to what its record says.
// An empty project means the super-admin room.
type Reconcile struct {
	Project string `json:"project"`
}

// TimerKind says what a timer is for. Each kind is declared beside the function
// that it brings, and package handle has the table of both.
type TimerKind string

// Timer brings an input of its kind back at a time.
type Timer struct {
	At   time.Time `json:"at"`
	Kind TimerKind `json:"kind"`
	Key  string    `json:"key"` // order is kept with other inputs of this key
	Arg  string    `json:"arg"`
}
