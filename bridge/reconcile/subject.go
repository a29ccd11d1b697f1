package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// subject is what one look is about: the rooms of a project, the super-admin room,
// or one direct chat.
type subject struct {
	project *project.Project // nil: not of a project
	kinds   []string         // rooms in the order in which they are made
	rooms   []*store.Room    // those that exist or were begun
	desired func(kind string) *Desired
	refusal error         // the record cannot be understood: nothing may be changed
	notes   func() []note // what else staff shall hear once; may be nil

	pictures map[string]string // addresses, by kind; nil or "": the picture is left as it is

	key    string           // of the queue; "": this is no job of it
	memo   memo             // as it was before
	tries  map[deed]*try    // of this look
	views  map[string]*view // what was read, by kind
	unread map[string]error // what could not be read, by kind
}

// note is something that staff shall hear once, as long as it is so.
type note struct {
	key   string
	words text.Words
}

// view is a room as it was read.
type view struct {
	actual *Actual
	out    bool // the bot cannot read it
}

func (s *subject) revision() int64 {
	if s.project == nil {
		return 0
	}
	return s.project.Revision
}

func (s *subject) room(kind string) *store.Room {
	for _, r := range s.rooms {
		if r.Kind == kind {
			return r
		}
	}
	return nil
}

// made records that a room exists now.
func (s *subject) made(row *store.Room) {
	if have := s.room(row.Kind); have != nil {
		*have = *row
		return
	}
	s.rooms = append(s.rooms, row)
}

// load reads what a key of the queue stands for; nil if that is no project.
func (r *Reconciler) load(ctx context.Context, key string) (*subject, error) {
	if key == store.KeySuperAdmin {
		return r.superAdmin(ctx)
	}
	p, err := r.Store.Project(ctx, key)
	if p == nil || err != nil {
		return nil, err
	}
	return r.ofProject(ctx, p)
}

func (r *Reconciler) ofProject(ctx context.Context, p *project.Project) (*subject, error) {
	rooms, err := r.Store.Rooms(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	s := &subject{project: p, rooms: rooms, refusal: r.Policy.Covers(p), views: map[string]*view{}}
	s.notes = func() (out []note) {
		for _, person := range r.Policy.Lost(p) {
			out = append(out, note{"role: " + person.User + " " + string(person.Role), text.LostRole(person.User, string(person.Role))})
		}
		return out
	}
	for _, kind := range kindsOf(r.Policy, p, rooms) {
		s.kinds = append(s.kinds, string(kind))
	}
	s.desired = func(kind string) *Desired {
		return DesiredRoom(r.Policy, p, project.Kind(kind), s.rooms, domainOf(r.keeper(p)), r.Store.Now())
	}
	return s, nil
}

// keeper is the user of ours that keeps a project's rooms; the bot keeps those of no
// project.
func (r *Reconciler) keeper(p *project.Project) string {
	if p == nil || p.Keeper == "" {
		return r.HS.Bot()
	}
	return p.Keeper
}

func (r *Reconciler) superAdmin(ctx context.Context) (*subject, error) {
	row, err := r.Store.SuperAdminRoom(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{kinds: []string{store.SuperAdmin}, views: map[string]*view{}}
	// Who made the room is asked, and not the configuration alone: an operator's room
	// stays theirs when they take it out there.
	made := func() bool {
		v := s.views[store.SuperAdmin]
		return v != nil && v.actual != nil && !slices.Contains(v.actual.Creators(), r.keeper(nil))
	}
	s.desired = func(string) *Desired { return DesiredSuperAdmin(r.Policy, r.SuperAdmin != "" || made()) }
	s.notes = func() []note {
		if !made() {
			return nil
		}
		return foreignNotes(r.Policy, s.views[store.SuperAdmin].actual)
	}
	if r.SuperAdmin != "" && (row == nil || row.ID != r.SuperAdmin) {
		row = &store.Room{Kind: store.SuperAdmin, ID: r.SuperAdmin}
	}
	if row != nil {
		s.rooms = append(s.rooms, row)
	}
	return s, nil
}

// adoptForeign writes down the super-admin room that an operator chose.
func (r *Reconciler) adoptForeign(ctx context.Context, key string) error {
	if key != store.KeySuperAdmin || r.SuperAdmin == "" {
		return nil
	}
	row, err := r.Store.SuperAdminRoom(ctx)
	if err != nil || row != nil && row.ID == r.SuperAdmin {
		return err
	}
	if row, err = r.Store.PrepareRoom(ctx, store.SuperAdmin, "", ""); err != nil {
		return err
	}
	_, err = r.made(ctx, row, r.SuperAdmin, "", text.Words{})
	return err
}

// steps lists what is to be done, reading what was not read yet. Live asks the
// homeserver; else it is what events told us.
func (r *Reconciler) steps(ctx context.Context, s *subject, live bool) ([]Step, error) {
	var steps []Step
	s.unread = map[string]error{}
	unanswered := 0
	for _, kind := range s.kinds {
		v := s.views[kind]
		if row := s.room(kind); v == nil && row != nil && row.ID != "" {
			a, out, err := r.read(ctx, row.ID, live)
			if silent(err) {
				unanswered++
			}
			if err != nil && (!troubled(err) || unanswered == maxSilent) {
				return nil, fmt.Errorf("room %s: %w", kind, err)
			}
			if err != nil { // it is this room's trouble
				s.unread[kind] = err
				continue
			}
			v = &view{a, out}
			s.views[kind] = v
		}
		if v == nil {
			v = &view{}
		}
		if s.refusal != nil {
			steps = append(steps, s.strangers(kind, v, r.keeper(s.project))...)
			continue
		}
		d := s.desired(kind)
		d.Refused = s.refused
		d.picture(s.pictures[kind])
		found := Diff(d, v.actual, v.out, r.keeper(s.project))
		if !live && v.out {
			found = unheard(d)
		}
		for _, step := range found {
			if row := s.room(kind); row != nil && step.ID == "" {
				step.ID = row.ID
			}
			steps = append(steps, step)
		}
	}
	return steps, nil
}

// strangers are the steps against people who are not in the project at all: that is
// known whatever the configuration has lost.
func (s *subject) strangers(kind string, v *view, bot string) []Step {
	if v.actual == nil || v.out || s.project == nil {
		return nil
	}
	f := &differ{d: s.desired(kind), a: v.actual, bot: bot, power: powerIn(v.actual)}
	f.title = f.d.called(v.actual)
	for _, user := range v.actual.users() {
		guest := slices.ContainsFunc(s.project.Guests, func(g project.Guest) bool { return g.User == user })
		if user != bot && !guest && s.project.Person(user) == nil {
			f.remove(user)
		}
	}
	return f.steps
}

// refused reports whether the homeserver refused an invitation, in words as in its
// step, in this look or the one before.
func (s *subject) refused(invitation string) bool {
	if _, told := s.memo.Told[keyRefused(invitation)]; told {
		return true
	}
	for d, t := range s.tries {
		if d.op == OpInvite && d.text == invitation && t.count >= maxTries && !bulkhead.Waits(t.err) {
			return true
		}
	}
	return false
}

// unheard is all that can be said of a room of which no event came yet.
func unheard(d *Desired) []Step {
	f := &differ{d: d}
	f.step(Step{Op: OpState, Words: text.StepLook(d.Title)})
	return f.steps
}

// expired reports whether a grant ended between two moments: then people lose
// their place without anybody's hand.
func expired(p *project.Project, since, now time.Time) bool {
	for _, g := range p.Grants {
		if g.Until != nil && g.Until.After(since) && !g.Until.After(now) {
			return true
		}
	}
	return false
}
