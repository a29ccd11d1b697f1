package reconcile

import (
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// What a step does. The words are read by programs (contract.md, `plan`).
const (
	OpCreate     = "create"
	OpState      = "state"
	OpLevels     = "levels"
	OpInvite     = "invite"
	OpKick       = "kick" // also takes an invitation back
	OpUnban      = "unban"
	OpSpaceLink  = "space-link" // adds or removes a child of the Space
	OpJoin       = "join"       // the bot, or a ghost
	OpImpossible = "impossible" // nobody can do it; it is only shown
)

// Step is one change in Matrix that brings a room nearer to its record.
type Step struct {
	Room string `json:"room"` // kind of the room
	Op   string `json:"op"`
	Text string `json:"text"` // for staff

	ID      string `json:"room_id,omitempty"` // "" while the room is to be made
	Project string `json:"project,omitempty"` // id

	Kind  project.Kind `json:"-"` // like Room
	User  string       `json:"-"` // whom it is about
	Words text.Words   `json:"-"` // Text, with names that are links

	// Drift: a person's hand is behind it if the record did not change since
	// the room was last in order. What follows from people coming and going by
	// themselves is not drift.
	Drift bool `json:"-"`
	// By is whose hand it is, where Matrix tells; "" if it was our own user's.
	By string `json:"-"`

	typ, key string
	content  map[string]any
	ghost    string // display name
	reason   string // of an invitation or a removal; everybody in the room reads it
	later    bool   // cannot be done before a room is made; it comes again then
}
