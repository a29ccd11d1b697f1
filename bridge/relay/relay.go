// Package relay carries handoffs between the rooms of askers, the super-admin
// room and WhatsApp. It loads what a decision needs, asks bridge/handoff to
// decide, stores the outcome and writes the effects. All of it runs inside the
// transaction that the context carries; nothing here waits for a network.
package relay

import (
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/store"
)

// Relay is the glue of the handoffs.
type Relay struct {
	Store  *store.Store
	Bot    string // MXID
	Prefix string // of commands, "!lane"

	// Ghost gives the MXID of an agent's ghost from its opaque part.
	Ghost func(opaque string) string
	// May reports whether somebody has the ability "handoff" at this moment.
	May func(user string) bool
	// Staff are the MXIDs that can be mentioned when somebody has to act.
	Staff func() []string

	WhatsApp bool            // whatsapp.enabled
	Template bool            // whatsapp.template_sid is set
	Agents   []handoff.Agent // people who answer on WhatsApp
	Reveal   string          // handoff.reveal_agent: name or team
	Consent  string          // handoff.consent: announce or ask
	Context  int             // handoff.context_messages
}

// AskInput is somebody asking for a human.
type AskInput struct {
	Asker string      // MXID
	Name  string      // display name of the asker
	Room  *store.Room // where the question stands: a lane or a direct chat
	Event string      // the command, or the message that got 🙋
	// Question are the words after the command; with ByReaction they are read
	// from the message.
	Question   string
	Private    bool      // human --private: the answer comes in the direct chat
	ByReaction bool      // 🙋
	Thread     string    // root of the thread that the question stands in, "" if in none
	At         time.Time // when the question was written
}

// At is where a command stands: it names the handoff when no number does.
type At struct {
	Room    *store.Room
	Event   string // the command
	Thread  string // root of the thread it stands in, "" if in none
	ReplyTo string // what it answers, "" if nothing
}

// Lanes and direct chats as places.
func place(r *store.Room) effect.Place {
	switch {
	case r.Kind == store.Direct:
		return effect.Place{Person: r.User}
	case r.Kind == store.SuperAdmin:
		return effect.Place{SuperAdmin: true}
	}
	return effect.Place{Room: r.ID}
}
