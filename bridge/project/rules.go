package project

import "time"

// Rules is what a project's profile says about it, as far as the functions here
// need it. Package policy answers: Policy.Rules(p).
type Rules interface {
	// Grantable is what a role can be granted in a lane, lowest rung first, and
	// the rung that is meant when none is named. ok is false if there is nothing
	// to grant, or no such lane.
	Grantable(role Role, lane Kind) (rungs []Access, def Access, ok bool)
	// Access is what a person has in a lane, grants included.
	Access(user string, lane Kind, now time.Time) Access
}

// Catalogue is what a project may be made of. Package policy fills it.
type Catalogue struct {
	Roles    []Role
	Profiles []string
	Default  string // the profile where none is named
}

// Change is what a call did. Where it refused, nothing was done.
type Change struct {
	Changed bool      // false: it was so already
	User    string    // whom it is about
	Lane    Kind      // where, if it is about one lane
	Grant   *Grant    // the grant that stands now, if it is about one
	Request *Request  // the open request that stands now (Ask)
	Closed  []Request // requests that it ended, in their last state
	Ended   []Grant   // grants that it ended
}
