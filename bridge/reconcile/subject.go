package reconcile

import (
	"context"
	"fmt"
	"time"

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
	refusal error // the record cannot be understood: nothing may be changed

	views map[string]*view // what was read, by kind
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
	for _, kind := range kindsOf(r.Policy, p, rooms) {
		s.kinds = append(s.kinds, string(kind))
	}
	s.desired = func(kind string) *Desired {
		return DesiredRoom(r.Policy, p, project.Kind(kind), s.rooms, domainOf(r.HS.Bot()), r.Store.Now())
	}
	return s, nil
}

func (r *Reconciler) superAdmin(ctx context.Context) (*subject, error) {
	row, err := r.Store.SuperAdminRoom(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{kinds: []string{store.SuperAdmin}, views: map[string]*view{}}
	s.desired = func(string) *Desired { return DesiredSuperAdmin(r.Policy, r.SuperAdmin != "") }
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
	_, err = r.made(ctx, row.Alias, r.SuperAdmin, "")
	return err
}

// steps lists what is to be done, reading what was not read yet. Live asks the
// homeserver; else it is what events told us.
func (r *Reconciler) steps(ctx context.Context, s *subject, live bool) ([]Step, error) {
	if s.refusal != nil {
		return nil, s.refusal
	}
	var steps []Step
	for _, kind := range s.kinds {
		v := s.views[kind]
		if row := s.room(kind); v == nil && row != nil && row.ID != "" {
			a, out, err := r.read(ctx, row.ID, live)
			if err != nil {
				return nil, fmt.Errorf("room %s: %w", kind, err)
			}
			v = &view{a, out}
			s.views[kind] = v
		}
		if v == nil {
			v = &view{}
		}
		found := Diff(s.desired(kind), v.actual, v.out, r.HS.Bot())
		if !live && v.out {
			found = unheard(s.desired(kind))
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
