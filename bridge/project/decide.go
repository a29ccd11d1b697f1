package project

import (
	"slices"
	"strings"
	"time"
)

// Decision is somebody's word on another person's access. Whether they may
// decide at all is the policy's question and must be answered before; here stand
// only the rules that hold for everybody who may.
type Decision struct {
	By     string        // MXID of who decides
	User   string        // whose access; or
	Number int64         // of an open request
	Lane   Kind          // empty: the request's, else customer
	Access Access        // None: the rung requested, else of the grant that stands, else the profile's default
	Until  *time.Time    // nil: for good
	For    time.Duration // instead of Until: counted from the moment of the decision
	Said   time.Time     // by the homeserver's clock, with which leaving a room is compared; zero: the moment of the decision
	Reason string
	Again  bool // the person left the lane by themselves: the same once more invites them anew
}

// Approve grants an access in one lane. A request is not needed before it; an
// open one of that person for that lane is closed as approved. Nobody decides
// their own. The grant replaces an earlier one, also one that was higher. The
// same again changes nothing, unless the person has left; a request that is not open any more is not_found
// here, and Decided says what became of it.
func (p *Project) Approve(d Decision, rules Rules, now time.Time) (Change, error) {
	person, request, err := p.target(&d)
	if err != nil {
		return Change{}, err
	}
	if err := p.checkApproval(&d, person, request, rules, now); err != nil {
		return Change{}, err
	}
	c := Change{User: d.User, Lane: d.Lane}
	old := p.Grant(d.User, d.Lane)
	if old.Holds(now) && old.Access == d.Access && sameTime(old.Until, d.Until) && !d.Again {
		same := *old
		c.Grant = &same
	} else {
		g := Grant{User: d.User, Lane: d.Lane, Access: d.Access, Approver: d.By, Reason: d.Reason, Since: moment(now), Until: d.Until}
		if !d.Said.IsZero() {
			g.Since = moment(d.Said)
		}
		p.endGrant(d.User, d.Lane)
		p.Grants = append(p.Grants, g)
		c.Changed, c.Grant = true, &g
	}
	if request != nil {
		c.Changed = true
		c.Closed = []Request{p.close(request.Number, Approved, d.By, d.Reason)}
	}
	return c, nil
}

func (p *Project) checkApproval(d *Decision, person *Person, request *Request, rules Rules, now time.Time) error {
	if err := p.checkActive(); err != nil {
		return err
	}
	rungs, def, ok := rules.Grantable(person.Role, d.Lane)
	if !ok {
		return Refuse(NotFound, "There's nothing to approve there for the role %s. `add` gives them another role.", person.Role)
	}
	if d.Access == None {
		d.Access = p.meant(d, request, def, now)
	}
	if !slices.Contains(rungs, d.Access) {
		return Refuse(BadArgument, "%s can't be approved there. Use %s.", d.Access, words(rungs))
	}
	if d.Until == nil {
		return nil
	}
	until := moment(*d.Until)
	if d.Until = &until; !until.After(now) {
		return Refuse(BadArgument, "That time is already over. Say how long from now, for example `--for 14d`.")
	}
	return nil
}

// meant is the rung of a decision that names none. Without the grant that stands
// in between, deciding twice on a request for read would make it the default.
func (p *Project) meant(d *Decision, request *Request, def Access, now time.Time) Access {
	if request != nil {
		return request.Access
	}
	if g := p.Grant(d.User, d.Lane); g.Holds(now) {
		return g.Access
	}
	return def
}

// Deny closes an open request without a grant. A grant that stands is not
// touched: Revoke ends that.
func (p *Project) Deny(d Decision) (Change, error) {
	if d.Number == 0 && d.Lane == "" {
		open := p.openOf(d.User)
		if len(open) > 1 {
			return Change{}, Refuse(BadArgument, "They have several open requests. Name one by its number; `requests` lists them.")
		}
		if len(open) == 1 {
			d.Lane = open[0].Lane
		}
	}
	_, request, err := p.target(&d)
	if err != nil {
		return Change{}, err
	}
	if request == nil {
		return Change{}, Refuse(NotFound, "They have no open request. To end an approval, use `revoke`.")
	}
	c := Change{Changed: true, User: d.User, Lane: d.Lane}
	c.Closed = []Request{p.close(request.Number, Denied, d.By, d.Reason)}
	return c, nil
}

// Revoke ends a grant: the person falls back to what the profile gives their
// role. Where there is no grant nothing changes.
func (p *Project) Revoke(d Decision) (Change, error) {
	if _, _, err := p.target(&d); err != nil {
		return Change{}, err
	}
	ended := p.endGrant(d.User, d.Lane)
	return Change{Changed: len(ended) > 0, User: d.User, Lane: d.Lane, Ended: ended}, nil
}

// Expire takes out the grants whose time is over and returns them.
func (p *Project) Expire(now time.Time) (ended []Grant) {
	p.Grants = slices.DeleteFunc(p.Grants, func(g Grant) bool {
		if !g.Holds(now) {
			ended = append(ended, g)
		}
		return !g.Holds(now)
	})
	return ended
}

// NextExpiry is the earliest end of a grant; ok is false if none has one.
func (p *Project) NextExpiry() (at time.Time, ok bool) {
	for _, g := range p.Grants {
		if g.Until != nil && (!ok || g.Until.Before(at)) {
			at, ok = *g.Until, true
		}
	}
	return at, ok
}

// Decided is the refusal for a decision on a request that is not open any more.
func Decided(r Request) *Error {
	if r.State == Withdrawn {
		return Refuse(Conflict, "Request #%d was withdrawn, so there's nothing left to decide.", r.Number)
	}
	return Refuse(Conflict, "Request #%d is already decided: %s. To change somebody's access, use `approve` or `revoke` with their name.", r.Number, r.State)
}

// target fills in whom and which lane a decision is about, and finds the open
// request that it answers, if there is one.
func (p *Project) target(d *Decision) (person *Person, request *Request, err error) {
	if err := checkReason(d.Reason); err != nil {
		return nil, nil, err
	}
	if d.Number != 0 {
		if request = p.Request(d.Number); request == nil {
			return nil, nil, Refuse(NotFound, "There's no open request #%d here. `requests` lists the open ones.", d.Number)
		}
		if d.User != "" && d.User != request.User || d.Lane != "" && d.Lane != request.Lane {
			return nil, nil, Refuse(BadArgument, "Request #%d is about another person or lane. Name the request alone, or the person and the lane.", d.Number)
		}
		d.User, d.Lane = request.User, request.Lane
	}
	if d.Lane == "" {
		d.Lane = Customer
	}
	if d.By == d.User {
		return nil, nil, Refuse(NotAllowed, "You can't decide on your own access. Please ask somebody else who can approve.")
	}
	if person = p.Person(d.User); person == nil {
		return nil, nil, Refuse(NotFound, "They're not in this project yet. Use `accept` or `add` first.")
	}
	if request == nil {
		request = p.OpenRequest(d.User, d.Lane)
	}
	return person, request, nil
}

func (p *Project) openOf(user string) (open []Request) {
	for _, r := range p.Requests {
		if r.User == user {
			open = append(open, r)
		}
	}
	return open
}

func (p *Project) endGrant(user string, lane Kind) (ended []Grant) {
	p.Grants = slices.DeleteFunc(p.Grants, func(g Grant) bool {
		hit := g.User == user && g.Lane == lane
		if hit {
			ended = append(ended, g)
		}
		return hit
	})
	return ended
}

func sameTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// ParseFor reads how long a grant shall last: a number and one of s, m, h, d
// (24 hours) and w (7 days), as in 90s, 4h, 14d; at most ten years.
func ParseFor(word string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	const limit = 10 * 365 * 24 * time.Hour
	bad := Refuse(BadArgument, "%q isn't a length of time. Write for example 90s, 4h or 14d, at most ten years.", clip(word))
	if len(word) < 2 || len(word) > 10 || strings.Trim(word[:len(word)-1], "0123456789") != "" {
		return 0, bad
	}
	var n time.Duration // of nine digits at most: no overflow before the comparison
	for _, digit := range word[:len(word)-1] {
		n = n*10 + time.Duration(digit-'0')
	}
	unit, ok := units[word[len(word)-1]]
	if !ok || n == 0 || n > limit/unit {
		return 0, bad
	}
	return n * unit, nil
}
