package command

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// resolve finds the project that a command is about and checks the right to it: one
// of the abilities, where policy.See is being a member. Who has no right hears the
// same words whether the project exists or not.
func (k *call) resolve(ctx context.Context, slug string, needs ...policy.Ability) (*project.Project, error) {
	if f := k.flags["project"]; f != "" {
		slug = f
	}
	everywhere := slices.ContainsFunc(needs, k.everywhere)
	p, err := k.lookup(ctx, strings.ToLower(unpointed(slug)), everywhere)
	if err != nil {
		return nil, err
	}
	elsewhere := project.Refuse(project.WrongRoom, "%s", text.OtherProjectForSender())
	if p == nil {
		switch {
		case everywhere && k.room.IsLane(): // those who read along learn nothing about other projects
			return nil, elsewhere
		case everywhere:
			return nil, project.Refuse(project.NotFound, "%s", text.NoProjectForStaff(short(slug)))
		}
		return nil, project.Forbidden()
	}
	if !slices.ContainsFunc(needs, func(a policy.Ability) bool { return k.Policy.Can(k.sender, a, p) }) {
		return nil, project.Forbidden()
	}
	if k.room.IsLane() && p.ID != k.room.Project {
		return nil, elsewhere
	}
	return p, nil
}

// named reads the project that may stand at the end of the line; see resolve.
func (k *call) named(ctx context.Context, needs ...policy.Ability) (*project.Project, error) {
	slug, _ := k.next()
	if err := k.done(); err != nil {
		return nil, err
	}
	return k.resolve(ctx, slug, needs...)
}

// everywhere reports whether the sender's platform role gives the ability in
// every project.
func (k *call) everywhere(a policy.Ability) bool {
	return k.Policy.Can(k.sender, a, nil)
}

// named is how many projects a question which one is meant names at most.
const named = 20

func (k *call) lookup(ctx context.Context, slug string, everywhere bool) (*project.Project, error) {
	switch {
	case slug != "":
		return k.Store.ProjectBySlug(ctx, slug)
	case k.room.Project != "":
		return k.Store.Project(ctx, k.room.Project)
	}
	mine, err := k.Store.ProjectsOf(ctx, k.sender, "", named+1)
	if err == nil && len(mine) == 0 && everywhere {
		mine, err = k.Store.Projects(ctx, "", named+1)
	}
	if err != nil {
		return nil, err
	}
	switch len(mine) {
	case 0:
		if everywhere {
			return nil, project.Refuse(project.NotFound, "%s", text.NoProjectYetForStaff())
		}
		return nil, nil
	case 1:
		return k.Store.Project(ctx, mine[0].ID)
	}
	var slugs []string
	for _, p := range mine[:min(len(mine), named)] {
		slugs = append(slugs, p.Slug)
	}
	return nil, project.Refuse(project.BadArgument, "%s", text.WhichProjectForSender(slugs, len(mine) > named))
}

func short(s string) string {
	s = clean(strings.ToValidUTF8(s, "\uFFFD"))
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "…"
	}
	return s
}

// sees reports whether somebody may see what stands in a lane.
func (k *call) sees(p *project.Project, user string, lane project.Kind) bool {
	return k.Policy.Can(user, "project", nil) || k.Policy.Access(p, user, lane, k.now) > project.None
}

// knows reports whether somebody may know that a lane exists: they see it, or
// they could be let in.
func (k *call) knows(p *project.Project, user string, lane project.Kind) bool {
	if k.sees(p, user, lane) {
		return true
	}
	person := p.Person(user)
	if person == nil {
		return false
	}
	_, _, ok := k.Policy.Grantable(p, person.Role, lane)
	return ok
}

// mayName reports whether an answer in this room may name a lane: in a lane to
// everybody who can be there by the profile, in a direct chat to the sender. Staff
// in the super-admin room may know everything.
func (k *call) mayName(p *project.Project, lane project.Kind) bool {
	switch {
	case k.room.IsLane():
		return k.Policy.MayName(p, project.Kind(k.room.Kind), lane)
	case k.room.Kind == store.SuperAdmin:
		return true
	}
	return k.knows(p, k.sender, lane)
}

// mayShow is mayName for what stands in a lane.
func (k *call) mayShow(p *project.Project, lane project.Kind) bool {
	switch {
	case k.room.IsLane():
		return k.Policy.MayShow(p, project.Kind(k.room.Kind), lane)
	case k.room.Kind == store.SuperAdmin:
		return true
	}
	return k.sees(p, k.sender, lane)
}

// lanes gives the lanes of a project that may be named here, and those that only
// the sender may hear of.
func (k *call) lanes(p *project.Project) (here, alone []project.Kind) {
	for _, lane := range k.Policy.Lanes(p) {
		if k.mayName(p, lane) {
			here = append(here, lane)
		} else if k.knows(p, k.sender, lane) {
			alone = append(alone, lane)
		}
	}
	return here, alone
}

// about notes that the command concerns a lane. Where that may not be named, what
// comes of it goes to the sender alone, a refusal too.
func (k *call) about(p *project.Project, lane project.Kind) {
	k.private = k.private || k.room.IsLane() && !k.mayName(p, lane)
}

// access is what somebody has in the given lanes, as results carry it.
func (k *call) access(p *project.Project, user string, lanes []project.Kind) map[string]any {
	m := map[string]any{}
	for _, lane := range lanes {
		m[string(lane)] = k.Policy.Access(p, user, lane, k.now).String()
	}
	return m
}

// aboutPerson answers with what somebody has now: to everybody here what all of
// them may know, the rest to the sender alone.
func (k *call) aboutPerson(ctx context.Context, done *action.Done, words func(lanes []project.Kind) (text.Words, error)) (*reply, error) {
	p, user := done.Project, done.User
	if lane := project.Kind(k.room.Kind); k.room.IsLane() && user == k.sender && k.Policy.Access(p, user, lane, k.now) == project.None {
		k.private = true // they are about to leave the lane
	}
	here, alone := k.lanes(p)
	build := func(lanes []project.Kind) (*reply, error) {
		w, err := words(lanes)
		return &reply{fields: map[string]any{"person": user, "access": k.access(p, user, lanes), "changed": done.Changed}, words: w, when: p, names: lanes, user: user}, err
	}
	r, err := build(here)
	if err != nil {
		return nil, err
	}
	for _, lane := range alone {
		if k.Policy.Access(p, user, lane, k.now) > project.None {
			r.rest, err = k.apart(func() (*reply, error) { return build(append(append([]project.Kind{}, here...), alone...)) })
			break
		}
	}
	return r, err
}

// user takes a person off the line.
func (k *call) user() (string, error) {
	w, ok := k.next()
	if !ok {
		return "", project.Refuse(project.BadArgument, "%s", text.WhoForSender(k.Store.Domain))
	}
	u, ok := userOf(w)
	if !ok {
		return "", project.Refuse(project.BadArgument, "%s", text.NoIDForSender(short(w), k.Store.Domain))
	}
	if k.Policy.IsOurs(u) {
		return "", project.Refuse(project.BadArgument, "%s", text.OwnAccountForSender())
	}
	return u, nil
}

// lane takes a lane off the line if one stands next.
func (k *call) lane(p *project.Project) (project.Kind, bool) {
	w := strings.ToLower(k.peek())
	for _, lane := range k.Policy.Lanes(p) {
		if string(lane) == w {
			k.next()
			k.about(p, lane)
			return lane, true
		}
	}
	for _, lane := range []project.Kind{project.Customer, project.Internal, project.Notes} {
		if string(lane) == w { // a lane that this project does not have
			k.next()
			k.about(p, lane)
			return lane, true
		}
	}
	return "", false
}

// rung takes an access off the line if one stands next.
func (k *call) rung() project.Access {
	a, ok := accessNamed(k.peek())
	if ok {
		k.next()
	}
	return a
}

// reason is the rest of the line.
func (k *call) reason() string { return strings.TrimSpace(clean(k.rest)) }

// title is the name of a lane as people see it.
func title(p *project.Project, lane project.Kind) string {
	return text.LaneTitle(lane, p.Name)
}

// done ends the line: what is left over was not understood.
func (k *call) done() error {
	if w, ok := k.next(); ok {
		return project.Refuse(project.BadArgument, "%s", text.UnexpectedForSender(short(w), k.spell(text.HelpOf(k.name).Typed())))
	}
	return nil
}
