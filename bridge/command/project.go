package command

import (
	"context"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

func facts(p *project.Project) map[string]any {
	return map[string]any{"id": p.ID, "slug": p.Slug, "name": p.Name, "profile": p.Profile, "tier": p.Tier, "status": p.Status}
}

func reconcile(p *project.Project) effect.Effect {
	return effect.Effect{Reconcile: &effect.Reconcile{Project: p.ID}}
}

// create makes a project: SLUG "NAME" [--profile P] [--tier T] [--ROLE U]…
func (k *call) create(ctx context.Context) (*reply, error) {
	if k.room.IsLane() {
		return nil, project.Refuse(project.WrongRoom, "A lane is no place to make another project. Please do it in our direct chat.")
	}
	slug, _ := k.next()
	name, _ := k.next()
	if err := k.done(); err != nil {
		return nil, project.Refuse(project.BadArgument, "Put the project's name in quotes: project create %s \"The name\".", short(slug))
	}
	catalogue := k.Policy.Catalogue()
	n := project.New{Slug: strings.ToLower(slug), Name: name, Profile: k.flags["profile"], Tier: k.flags["tier"], Creator: k.sender}
	for _, f := range k.multi {
		if !slices.Contains(catalogue.Roles, project.Role(f[0])) {
			continue
		}
		user, ok := userOf(f[1])
		if !ok || k.ours(user) {
			return nil, project.Refuse(project.BadArgument, "%q after --%s is no Matrix user. Write them like @name:%s.", short(f[1]), f[0], k.Store.Domain)
		}
		n.People = append(n.People, project.Person{User: user, Role: project.Role(f[0])})
	}
	p, err := k.Store.ProjectBySlug(ctx, n.Slug)
	if err != nil {
		return nil, err
	}
	changed := p == nil
	if p != nil {
		if err := p.Repeat(n, catalogue); err != nil {
			return nil, err
		}
	} else {
		if p, err = project.Create(k.Store.NewID(), n, catalogue, k.ev.TS); err != nil {
			return nil, err
		}
		if err := k.Store.SaveProject(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := k.Store.Do(ctx, reconcile(p)); err != nil {
		return nil, err
	}
	w := text.Say("%s stands. Everybody you named is invited.", p.Name)
	if !changed {
		w = text.Say("%s stands already. Nothing changed.", p.Name)
	}
	return &reply{fields: map[string]any{"project": facts(p), "changed": changed}, words: w, when: p, rooms: true}, nil
}

// list names the sender's projects; in a lane only the lane's own is for everybody
// to hear.
func (k *call) list(ctx context.Context) (*reply, error) {
	if err := k.done(); err != nil {
		return nil, err
	}
	ps, err := k.Store.ProjectsOf(ctx, k.sender)
	if k.everywhere("") {
		ps, err = k.Store.Projects(ctx)
	}
	if err != nil {
		return nil, err
	}
	full := listed(ps)
	if !k.room.IsLane() {
		return full, nil
	}
	own := slices.DeleteFunc(slices.Clone(ps), func(p *project.Project) bool { return p.ID != k.room.Project })
	here := listed(own)
	if len(own) < len(ps) {
		here.rest = full
	}
	return here, nil
}

func listed(ps []*project.Project) *reply {
	lines, list := []text.Words{}, []any{}
	for _, p := range ps {
		list = append(list, facts(p))
		if len(lines) < maxListed {
			lines = append(lines, text.Say("%s · %s", p.Slug, p.Name))
		}
	}
	if len(ps) == 0 {
		lines = append(lines, text.Say("You are in no project."))
	}
	return &reply{fields: map[string]any{"projects": list}, words: text.Join(lines...)}
}

// archive and restore.
func (k *call) archive(ctx context.Context) (*reply, error) { return k.status(ctx, true) }
func (k *call) restore(ctx context.Context) (*reply, error) { return k.status(ctx, false) }

func (k *call) status(ctx context.Context, archive bool) (*reply, error) {
	p, err := k.named(ctx, "project")
	if err != nil {
		return nil, err
	}
	changed, w := false, text.Say("%s can be written in again.", p.Name)
	if archive {
		changed, w = p.Archive(), text.Say("%s is archived: its lanes can be read, and only staff can write.", p.Name)
	} else {
		changed = p.Restore()
	}
	if changed {
		if err := k.save(ctx, p, nil); err != nil {
			return nil, err
		}
	}
	return &reply{fields: map[string]any{"project": facts(p), "changed": changed}, words: w, when: p}, nil
}

// left reports whether somebody went out of a lane of theirs by themselves since
// they were added; adding them again then invites them anew.
func (c *Commands) left(ctx context.Context, p *project.Project, user string) (bool, error) {
	person := p.Person(user)
	if person == nil {
		return false, nil
	}
	rooms, err := c.Store.Rooms(ctx, p.ID)
	if err != nil {
		return false, err
	}
	for _, r := range rooms {
		if left, err := c.leftRoom(ctx, r, user, person.Since); left || err != nil {
			return left, err
		}
	}
	return false, nil
}

// leftLane is left for the lane and the person that a decision is about.
func (c *Commands) leftLane(ctx context.Context, p *project.Project, d project.Decision) (bool, error) {
	if q := p.Request(d.Number); q != nil {
		d.User, d.Lane = q.User, q.Lane
	}
	if d.Lane == "" {
		d.Lane = project.Customer
	}
	since := time.Time{}
	if g := p.Grant(d.User, d.Lane); g != nil {
		since = g.Since
	}
	r, err := c.Store.LaneRoom(ctx, p.ID, string(d.Lane))
	if r == nil || err != nil {
		return false, err
	}
	return c.leftRoom(ctx, r, d.User, since)
}

func (c *Commands) leftRoom(ctx context.Context, r *store.Room, user string, since time.Time) (bool, error) {
	e, err := c.Store.Member(ctx, r.ID, user)
	return e != nil && e.Membership() == "leave" && e.Sender == user && !e.TS.Before(since), err
}

func (k *call) add(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	role, ok := k.next()
	if !ok {
		return nil, project.Refuse(project.BadArgument, "As what? Name a role after the person: %s.", roles(k.Policy.Catalogue().Roles))
	}
	p, err := k.named(ctx, "people")
	if err != nil {
		return nil, err
	}
	if err := k.mayAssign(p, user, project.Role(strings.ToLower(role))); err != nil {
		return nil, err
	}
	left, err := k.left(ctx, p, user)
	if err != nil {
		return nil, err
	}
	c, err := p.Add(user, project.Role(strings.ToLower(role)), k.Policy.Catalogue().Roles, left, k.ev.TS)
	return k.joined(ctx, p, c, err)
}

// mayAssign refuses to touch rights that the sender does not have: neither the
// role that is given nor the one that the person has may be above theirs.
func (k *call) mayAssign(p *project.Project, user string, role project.Role) error {
	person := p.Person(user)
	if (role == "" || k.Policy.MayAssign(k.sender, role, p)) && (person == nil || k.Policy.MayAssign(k.sender, person.Role, p)) {
		return nil
	}
	return notAllowed()
}

func roles(list []project.Role) string {
	var out []string
	for _, r := range list {
		out = append(out, string(r))
	}
	return strings.Join(out, ", ")
}

func (k *call) accept(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	p, err := k.named(ctx, "accept")
	if err != nil {
		return nil, err
	}
	left, err := k.left(ctx, p, user)
	if err != nil {
		return nil, err
	}
	c, err := p.Accept(user, k.Policy.AcceptedAs(p), left, k.ev.TS)
	return k.joined(ctx, p, c, err)
}

// joined answers add and accept.
func (k *call) joined(ctx context.Context, p *project.Project, c project.Change, err error) (*reply, error) {
	if err != nil {
		return nil, err
	}
	if c.Changed {
		if err := k.save(ctx, p, c.Closed); err != nil {
			return nil, err
		}
	}
	person := p.Person(c.User)
	pill := k.pill(ctx, c.User)
	r, err := k.aboutPerson(ctx, p, c.User, c.Changed, func(lanes []project.Kind) text.Words {
		var in []string
		for _, lane := range lanes {
			if k.Policy.Access(p, c.User, lane, k.now) > project.None {
				in = append(in, title(p, lane))
			}
		}
		when := "now"
		if !c.Changed {
			when = "already"
		}
		if len(in) == 0 {
			return text.Say("%s is %s %s.", pill, string(person.Role), when)
		}
		return text.Say("%s is %s %s: %s.", pill, string(person.Role), when, strings.Join(in, ", "))
	})
	if err != nil {
		return nil, err
	}
	r.when = p
	return r, nil
}

func (k *call) remove(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	p, err := k.named(ctx, "people")
	if err != nil {
		return nil, err
	}
	if err := k.mayAssign(p, user, ""); err != nil {
		return nil, err
	}
	c, err := p.Remove(user)
	if err != nil {
		return nil, err
	}
	if c.Changed {
		if err := k.save(ctx, p, c.Closed); err != nil {
			return nil, err
		}
	}
	w := text.Say("%s is out of %s.", k.pill(ctx, user), p.Name)
	if !c.Changed {
		w = text.Say("%s is not in %s.", k.pill(ctx, user), p.Name)
	}
	r, err := k.aboutPerson(ctx, p, user, c.Changed, func([]project.Kind) text.Words { return w })
	if err != nil {
		return nil, err
	}
	r.when = p
	return r, nil
}

// save writes a changed project, tells the cards of requests that ended, sets the
// clock for grants that end, and has the rooms brought to it.
func (c *Commands) save(ctx context.Context, p *project.Project, closed []project.Request) error {
	if err := c.Store.SaveProject(ctx, p); err != nil {
		return err
	}
	effects := []effect.Effect{reconcile(p)}
	for _, q := range closed {
		if err := c.Store.SaveRequest(ctx, q); err != nil {
			return err
		}
		edits, err := c.cardEdits(ctx, p, q)
		if err != nil {
			return err
		}
		effects = append(effects, edits...)
	}
	if at, ok := p.NextExpiry(); ok {
		effects = append(effects, effect.Effect{Timer: &effect.Timer{At: at, Kind: TimerExpire, Key: "expire:" + p.ID, Arg: p.ID}})
	}
	return c.Store.Do(ctx, effects...)
}
