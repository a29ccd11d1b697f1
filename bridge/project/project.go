// Package project is the domain: projects, the people in them, grants and
// requests, and what must always hold between them. It knows no Matrix, no SQL
// and no clock: times are given by the caller.
package project

import "time"

// Role is what a person is in one project ("customer", "expert", …). The names
// are data of the configuration; no code compares against a literal.
type Role string

// Kind names a lane of a project by its audience, or the project's Space.
type Kind string

// The kinds that have a meaning of their own in code; profiles say which of the
// lanes a project has.
const (
	Customer Kind = "customer"
	Internal Kind = "internal"
	Notes    Kind = "notes"
	Space    Kind = "space"
)

// Access is a rung of the fixed ladder none < read < text < full < manager < ops.
type Access int

const (
	None Access = iota
	Read
	Text
	Full
	Manager
	Ops
)

// Status of a project.
const (
	Active   = "active"
	Archived = "archived"
)

// Person is somebody in a project. A person has one role per project.
type Person struct {
	User  string    `json:"user"` // MXID
	Role  Role      `json:"role"`
	Since time.Time `json:"since"` // last added; leaving a room before that moment does not count as declining
}

// Grant lifts one person to an access in one lane, by somebody's approval.
type Grant struct {
	User     string     `json:"user"`
	Lane     Kind       `json:"lane"`
	Access   Access     `json:"access"`
	Approver string     `json:"approver"`
	Reason   string     `json:"reason,omitempty"`
	Since    time.Time  `json:"since"`
	Until    *time.Time `json:"until,omitempty"` // nil: for good
}

// RequestState is where a request stands.
type RequestState string

const (
	Open      RequestState = "open"
	Approved  RequestState = "approved"
	Denied    RequestState = "denied"
	Withdrawn RequestState = "withdrawn"
)

// Request asks for access in one lane. Requests and handoffs share one counter
// for their numbers.
type Request struct {
	Number    int64        `json:"number"`
	Project   string       `json:"project"`
	User      string       `json:"user"`
	Lane      Kind         `json:"lane"`
	Access    Access       `json:"access"`
	Reason    string       `json:"reason,omitempty"`
	State     RequestState `json:"state"`
	DecidedBy string       `json:"decided_by,omitempty"`
	Because   string       `json:"because,omitempty"` // the decider's words
	Asked     time.Time    `json:"asked"`
}

// Project is the record of one customer engagement. People, Grants and the open
// requests are part of it: it is loaded and saved whole.
type Project struct {
	ID       string // opaque; the only part of a project that lanes reveal
	Slug     string
	Name     string
	Profile  string
	Tier     string
	Status   string
	Creator  string
	Keeper   string // MXID of the user of ours that makes its rooms and reads them
	Created  time.Time
	Revision int64 // counts saves; an answer waits until Matrix shows its revision
	People   []Person
	Grants   []Grant
	Requests []Request // open ones only
	Guests   []Guest
}

// Guest is a ghost of ours that spoke in a lane and therefore belongs there, at
// access text. It is no person of the project.
type Guest struct {
	User string `json:"user"` // MXID of the ghost
	Name string `json:"name"`
	Lane Kind   `json:"lane"`
}

// Person finds somebody; nil if they are not in the project.
func (p *Project) Person(user string) *Person {
	for i := range p.People {
		if p.People[i].User == user {
			return &p.People[i]
		}
	}
	return nil
}

// Grant finds the grant of one person in one lane; nil if there is none. An
// expired grant is still returned: whether it holds is a question of time.
func (p *Project) Grant(user string, lane Kind) *Grant {
	for i := range p.Grants {
		if p.Grants[i].User == user && p.Grants[i].Lane == lane {
			return &p.Grants[i]
		}
	}
	return nil
}

// Holds reports whether the grant counts at the given time.
func (g *Grant) Holds(now time.Time) bool {
	return g != nil && (g.Until == nil || now.Before(*g.Until))
}
