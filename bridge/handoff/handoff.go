// Package handoff decides what happens when somebody asks for a human: who is
// asked, who owns the conversation, whose words go where, and what is said when
// they do not. It is pure: it knows no Matrix, no SQL, no network and no clock.
// Every decision changes the Handoff it is called on and returns what shall
// happen as effects and WhatsApp lines; the caller stores both together.
package handoff

import (
	"fmt"
	"slices"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// State of a handoff.
type State string

const (
	Open   State = "open"   // nobody owns it, all agents are asked
	Taken  State = "taken"  // the owner answers
	Closed State = "closed" // until somebody opens it again
)

// Consent is whether an asker's words may go to WhatsApp.
type Consent string

const (
	Announced Consent = "announced" // was told that they do (consent: announce)
	Wanted    Consent = "wanted"    // was asked (consent: ask)
	Given     Consent = "given"     // said yes
)

// Kinds of owners.
const (
	OnMatrix   = "person"
	OnWhatsApp = "whatsapp"
)

// Owner is who answers.
type Owner struct {
	Kind string `json:"kind"` // OnMatrix, OnWhatsApp
	ID   string `json:"id"`   // MXID, or phone in E.164
	Name string `json:"name"`
}

// Asker is somebody whose words in the thread go to the agents.
type Asker struct {
	User    string  `json:"user"`
	Name    string  `json:"name"`
	Consent Consent `json:"consent"`
	Notice  string  `json:"notice,omitempty"` // effect ID of the notice that asks for consent
	By      string  `json:"by,omitempty"`     // event id of the ✅
}

// Leaves reports whether the asker's words may go to WhatsApp, where the handoff
// is one that may leave at all.
func (a *Asker) Leaves() bool { return a.Consent != Wanted }

// Agent is a person who answers on WhatsApp.
type Agent struct {
	Phone string // E.164, with +
	Name  string
	User  string // MXID, "" if not on Matrix
	// Paused is until when they are asked nothing new; zero: they are asked.
	Paused time.Time
}

// Handoff is one conversation with a human.
type Handoff struct {
	Number      int64
	Project     string       // id, "" if it belongs to none
	ProjectName string       // as it was called when it was asked
	Lane        project.Kind // where it was asked; "" in a direct chat
	Direct      bool         // the thread stands in the asker's direct chat
	Room        string       // where the thread stands; of direct chats only a memory
	Thread      effect.Ref   // its root; in a direct chat where it began
	// Last is the asker's latest message in a direct chat, which what comes back
	// answers, and LastIn the root of the thread that it stands in, "" if in none.
	Last, LastIn effect.Ref

	Askers   []Asker // who asked first, and who asked in the same thread later
	Question text.Words
	Asked    string // event id of the question
	File     bool   `json:",omitempty"` // a file came with it
	Sent     *File  `json:",omitempty"` // that file, if it is known
	// Files are the messages whose files stand in the card's thread.
	Files []string `json:",omitempty"`
	Long  bool     // the question is too long for the card: its thread holds it, too
	// Parts is in how many parts messages stand in the card's thread that are too long
	// for one event.
	Parts map[string]int `json:",omitempty"`

	State  State
	Owner  *Owner // stays when it is closed
	Closer string // who closed it

	// Leaves: the words may go to WhatsApp. Only what was asked in the customer
	// lane or in a direct chat may.
	Leaves bool

	Answered bool // since the asker said something
	// InLane is which manager of the project wrote last in the asker's thread since the
	// asker did, and InLaneBy the event.
	InLane   string `json:",omitempty"`
	InLaneBy string `json:",omitempty"`
	Hinted   bool   // the asker was told that words outside of the thread are no answer

	Passed    []string // phones that passed
	Explained []string // staff who were told why their words stay in the card's thread
	Unreached []string // phones of which staff were told that nothing could be sent

	Billed int `json:",omitempty"` // messages of it on WhatsApp when it was closed last

	Created time.Time
	Version int64 // counts saves; changed by compare-and-set
}

// Asker finds somebody among those who asked; nil if they did not.
func (h *Handoff) Asker(user string) *Asker {
	for i := range h.Askers {
		if h.Askers[i].User == user {
			return &h.Askers[i]
		}
	}
	return nil
}

// First is who asked first.
func (h *Handoff) First() *Asker { return &h.Askers[0] }

// Named is the asker whose name agents on WhatsApp read: the first who let it.
func (h *Handoff) Named() *Asker {
	for i := range h.Askers {
		if h.Askers[i].Leaves() {
			return &h.Askers[i]
		}
	}
	return h.First()
}

// users are the MXIDs of all askers.
func (h *Handoff) users() []string {
	var out []string
	for _, a := range h.Askers {
		out = append(out, a.User)
	}
	return out
}

// Place is where the asker's thread stands.
func (h *Handoff) Place() effect.Place {
	if h.Direct {
		return effect.Place{Person: h.First().User}
	}
	return effect.Place{Room: h.Room}
}

// Where names the place for staff and agents.
func (h *Handoff) Where() string {
	switch {
	case h.Direct && h.ProjectName != "":
		return h.ProjectName + ", direct chat"
	case h.Direct:
		return "direct chat"
	}
	return fmt.Sprintf("%s, %s lane", h.ProjectName, h.Lane)
}

// Reach is how far the words of a handoff may go.
type Reach string

const (
	InMatrix   Reach = "matrix"   // they never leave it
	Withheld   Reach = "withheld" // they may leave, once an asker lets them
	ToWhatsApp Reach = "whatsapp"
)

// Reach is how far the words of this handoff may go now.
func (h *Handoff) Reach() Reach {
	switch {
	case !h.Leaves:
		return InMatrix
	case !slices.ContainsFunc(h.Askers, func(a Asker) bool { return a.Leaves() }):
		return Withheld
	}
	return ToWhatsApp
}

// Reaches reports whether words of this handoff may be shown on WhatsApp at all:
// it may leave, and at least one asker let it.
func (h *Handoff) Reaches() bool { return h.Reach() == ToWhatsApp }

// Card is the effect ID of the card in the super-admin room.
func Card(n int64) string { return fmt.Sprintf("card:%d", n) }

// Notice is the effect ID of the first notice in the asker's thread.
func Notice(n int64) string { return fmt.Sprintf("ask:%d", n) }

// Before is the effect ID of what the card's thread shows of the time before the
// question.
func Before(n int64) string { return fmt.Sprintf("ctx:%d", n) }

// Answer is the effect ID of an answer in the asker's thread; source is the
// message it was made from: an event id or a MessageSid.
func Answer(n int64, source string) string { return fmt.Sprintf("ans:%d:%s", n, source) }

// Copy is the effect ID of what the card's thread shows of a message.
func Copy(n int64, source string) string { return fmt.Sprintf("say:%d:%s", n, source) }

// Owns reports whether a person on Matrix owns the handoff; an agent with an MXID
// is the same person on WhatsApp.
func (d *Desk) Owns(h *Handoff, user string) bool {
	switch {
	case h.Owner == nil:
		return false
	case h.Owner.Kind == OnMatrix:
		return h.Owner.ID == user
	}
	a := d.Agent(h.Owner.ID)
	return a != nil && a.User != "" && a.User == user
}

// OwnsByPhone is Owns for an agent on WhatsApp.
func (d *Desk) OwnsByPhone(h *Handoff, phone string) bool {
	switch {
	case h.Owner == nil:
		return false
	case h.Owner.Kind == OnWhatsApp:
		return h.Owner.ID == phone
	}
	a := d.Agent(phone)
	return a != nil && a.User == h.Owner.ID
}

// IDs are the owners' ids by which somebody on Matrix owns handoffs; see Owns.
func (d *Desk) IDs(user string) []string {
	ids := []string{user}
	for _, a := range d.Agents {
		if a.User == user {
			ids = append(ids, a.Phone)
		}
	}
	return ids
}

// IDsByPhone is IDs for an agent on WhatsApp; see OwnsByPhone.
func (d *Desk) IDsByPhone(phone string) []string {
	ids := []string{phone}
	if a := d.Agent(phone); a != nil && a.User != "" {
		ids = append(ids, a.User)
	}
	return ids
}

// Desk is what a decision knows of the support team.
type Desk struct {
	Agents   []Agent           // none where WhatsApp is off
	Windows  map[string]bool   // phones whose 24-hour window is open
	Template bool              // there is one for closed windows
	Refused  map[string]string // why nothing goes to a phone until it writes: its template was refused, its agent sent STOP
	Off      map[string]bool   // phones that are asked nothing new now
	Stopped  map[string]bool   // those of them whose agents want nothing at all: STOP
	Ready    map[string]string // ready answers by name, in WhatsApp's markup
	Reveal   string            // name or team
	Consent  string            // announce or ask
	Prefix   string            // of commands; advice that is read in a conversation carries it
	Staff    []string          // MXIDs to mention when somebody has to act
	// May reports whether a person on Matrix may answer now; nil: everybody.
	May func(user string) bool
	// Got are the phones that were sent words of the handoff that is decided about.
	Got []string
	// Absent is why the asker of the handoff that is decided about may not get an answer.
	Absent Absence
}

// Orphan reports whether nobody can answer though the handoff is taken: its owner
// is no agent any more, or lost the right.
func (d *Desk) Orphan(h *Handoff) bool {
	switch {
	case h.State != Taken:
		return false
	case h.Owner.Kind == OnWhatsApp:
		return d.Agent(h.Owner.ID) == nil
	}
	return d.May != nil && !d.May(h.Owner.ID)
}

// Agent finds an agent by phone; nil if the number is none.
func (d *Desk) Agent(phone string) *Agent {
	for i := range d.Agents {
		if d.Agents[i].Phone == phone {
			return &d.Agents[i]
		}
	}
	return nil
}

// reachable reports whether a phone can be sent anything now or woken up.
func (d *Desk) reachable(phone string) bool {
	return d.Windows[phone] || d.Template && d.Refused[phone] == ""
}

// Asks reports whether a phone is asked now: while nobody owns the handoff all
// agents who did not pass and are not off, then only the owner.
func (d *Desk) Asks(h *Handoff, phone string) bool { return slices.Contains(d.Asked(h), phone) }

// Asked are the phones that are asked now; see Asks.
func (d *Desk) Asked(h *Handoff) []string {
	var out []string
	for _, a := range d.Agents {
		switch h.State {
		case Open:
			if !slices.Contains(h.Passed, a.Phone) && !d.Off[a.Phone] {
				out = append(out, a.Phone)
			}
		case Taken:
			if h.Owner.Kind == OnWhatsApp && h.Owner.ID == a.Phone {
				out = append(out, a.Phone)
			}
		}
	}
	return out
}

// team is what askers read where no name is revealed.
const team = "Support"

// PublicName is the name under which the owner's answers appear to askers. A person
// who is on Matrix too is marked, so that nobody takes the ghost for them.
func (d *Desk) PublicName(o *Owner) string {
	if d.Reveal == "team" {
		return team
	}
	if o.Kind == OnMatrix {
		return o.Name + " (Support)"
	}
	a := d.Agent(o.ID)
	switch {
	case a == nil:
		return o.Name
	case a.User != "":
		return a.Name + " (Support)"
	}
	return a.Name // as the configuration has it now
}

// GhostKey names the ghost that speaks for an owner: one for each person, one for
// all where no name is revealed.
func (d *Desk) GhostKey(o *Owner) string {
	if d.Reveal == "team" {
		return "team"
	}
	return d.person(o)
}

// person identifies who an owner is, on Matrix where they are there.
func (d *Desk) person(o *Owner) string {
	if a := d.Agent(o.ID); a != nil && a.User != "" {
		return a.User
	}
	return o.ID
}

// spoken is the name of somebody on our side in a sentence to askers.
func (d *Desk) spoken(name string) string {
	if d.Reveal == "team" {
		return team
	}
	return name
}
