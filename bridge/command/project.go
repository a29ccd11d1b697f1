package command

import (
	"context"
	"slices"
	"strings"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

func facts(p *project.Project) map[string]any {
	return map[string]any{"id": p.ID, "slug": p.Slug, "name": p.Name, "profile": p.Profile, "tier": p.Tier, "status": p.Status}
}

// create makes a project: SLUG "NAME" [--profile P] [--tier T] [--ROLE U]…
func (k *call) create(ctx context.Context) (*reply, error) {
	if k.room.IsLane() {
		return nil, project.Refuse(project.WrongRoom, "%s", text.CreateElsewhereForSender())
	}
	slug, _ := k.next()
	name, _ := k.next()
	if err := k.done(); err != nil {
		return nil, project.Refuse(project.BadArgument, "%s", text.QuoteNameForSender(short(slug)))
	}
	catalogue := k.Policy.Catalogue()
	n := project.New{Slug: strings.ToLower(slug), Name: name, Profile: k.flags["profile"], Tier: k.flags["tier"]}
	for _, f := range k.multi {
		if !slices.Contains(catalogue.Roles, project.Role(f[0])) {
			continue
		}
		user, ok := userOf(f[1])
		if !ok || k.Policy.IsOurs(user) {
			return nil, project.Refuse(project.BadArgument, "%s", text.NoIDAfterForSender(short(f[1]), f[0], k.Store.Domain))
		}
		n.People = append(n.People, project.Person{User: user, Role: project.Role(f[0])})
	}
	done, err := k.Actions.Create(ctx, k.act(), n)
	if err != nil {
		return nil, err
	}
	p := done.Project
	var people []text.Words
	for _, person := range p.People {
		people = append(people, text.WithRole(k.person(ctx, person.User), person.Role))
	}
	w := text.CreatedForSender(p.Name, people)
	if !done.Changed {
		w = text.ExistsForSender(p.Name)
	}
	return &reply{fields: map[string]any{"project": facts(p), "changed": done.Changed}, words: w, when: p, rooms: true}, nil
}

// list names the sender's projects, a page of them; in a lane only the lane's own is
// for everybody to hear.
func (k *call) list(ctx context.Context) (*reply, error) {
	if err := k.done(); err != nil {
		return nil, err
	}
	ps, err := k.Store.ProjectsOf(ctx, k.sender, k.flags["after"], maxListed+1)
	if k.everywhere(policy.See) {
		ps, err = k.Store.Projects(ctx, k.flags["after"], maxListed+1)
	}
	if err != nil {
		return nil, err
	}
	full := k.listed(ps)
	if !k.room.IsLane() {
		return full, nil
	}
	p, err := k.Store.Project(ctx, k.room.Project)
	if err != nil {
		return nil, err
	}
	var own []*project.Project
	if p != nil && (k.everywhere(policy.See) || p.Person(k.sender) != nil) {
		own = append(own, p)
	}
	here := k.listed(own)
	if len(own) < len(ps) {
		here.rest = full
	}
	return here, nil
}

// listed is the answer for a page; one more than fits says that there are others.
func (k *call) listed(ps []*project.Project) *reply {
	lines, list, fields := []text.Words{}, []any{}, map[string]any{}
	for _, p := range ps {
		list = append(list, facts(p))
		lines = append(lines, text.ProjectForSender(p.Slug, p.Name, p.Status))
	}
	n := min(markup.Page(lines, maxPage), maxListed)
	for n > 1 && size(list[:n]) > maxPage {
		n--
	}
	list, lines = list[:n], lines[:n]
	switch {
	case n < len(ps):
		last := ps[n-1].Slug
		fields["next"] = last
		lines = append(lines, text.MoreProjectsForSender(k.Prefix, last))
	case len(ps) == 0 && k.flags["after"] != "":
		lines = append(lines, text.NoMoreProjectsForSender())
	case len(ps) == 0:
		lines = append(lines, text.NoProjectsForSender(k.everywhere(policy.See)))
	}
	fields["projects"] = list
	return &reply{fields: fields, words: text.Join(lines...)}
}

func (k *call) archive(ctx context.Context) (*reply, error) {
	return k.status(ctx, k.Actions.Archive, text.ArchivedForSender)
}

func (k *call) restore(ctx context.Context) (*reply, error) {
	return k.status(ctx, k.Actions.Restore, text.RestoredForSender)
}

func (k *call) status(ctx context.Context, change func(context.Context, action.Act, string) (*action.Done, error), words func(name string, changed bool) text.Words) (*reply, error) {
	p, err := k.named(ctx, policy.Project)
	if err != nil {
		return nil, err
	}
	done, err := change(ctx, k.act(), p.ID)
	if err != nil {
		return nil, err
	}
	return &reply{fields: map[string]any{"project": facts(done.Project), "changed": done.Changed}, words: words(p.Name, done.Changed), when: done.Project}, nil
}

func (k *call) add(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	role, ok := k.next()
	if !ok {
		return nil, project.Refuse(project.BadArgument, "%s", text.WhichRoleForSender(roles(k.Policy.Catalogue().Roles)))
	}
	p, err := k.named(ctx, policy.People, policy.Accept)
	if err != nil {
		return nil, err
	}
	return k.joined(ctx)(k.Actions.Add(ctx, k.act(), p.ID, user, project.Role(strings.ToLower(role))))
}

func roles(list []project.Role) (names []string) {
	for _, r := range list {
		names = append(names, string(r))
	}
	return names
}

func (k *call) accept(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	p, err := k.named(ctx, policy.Accept)
	if err != nil {
		return nil, err
	}
	return k.joined(ctx)(k.Actions.Accept(ctx, k.act(), p.ID, user))
}

// joined answers add and accept.
func (k *call) joined(ctx context.Context) func(*action.Done, error) (*reply, error) {
	return func(done *action.Done, err error) (*reply, error) {
		if err != nil {
			return nil, err
		}
		return k.aboutPerson(ctx, done, func(lanes []project.Kind) (text.Words, error) { return k.joinedWords(ctx, done, lanes) })
	}
}

func (k *call) joinedWords(ctx context.Context, done *action.Done, lanes []project.Kind) (text.Words, error) {
	p := done.Project
	j := text.Joined{Person: k.person(ctx, done.User), Role: p.Person(done.User).Role, Project: p.Name, Changed: done.Changed}
	for _, lane := range lanes {
		if k.Policy.Access(p, done.User, lane, k.now) == project.None {
			continue
		}
		in, err := k.inLane(ctx, p, done.User, lane)
		switch {
		case err != nil:
			return text.Words{}, err
		case in:
			j.In = append(j.In, title(p, lane))
		default:
			j.Invited = append(j.Invited, title(p, lane))
		}
	}
	return text.JoinedForSender(j), nil
}

// inLane reports whether somebody has joined a lane.
func (k *call) inLane(ctx context.Context, p *project.Project, user string, lane project.Kind) (bool, error) {
	room, err := k.Store.LaneRoom(ctx, p.ID, string(lane))
	if err != nil || room == nil || room.ID == "" {
		return false, err
	}
	member, err := k.Store.Member(ctx, room.ID, user)
	return member != nil && member.Membership() == "join", err
}

func (k *call) remove(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	p, err := k.named(ctx, policy.People)
	if err != nil {
		return nil, err
	}
	done, err := k.Actions.Remove(ctx, k.act(), p.ID, user)
	if err != nil {
		return nil, err
	}
	return k.aboutPerson(ctx, done, func([]project.Kind) (text.Words, error) {
		return text.RemovedForSender(k.person(ctx, user), p.Name, done.Changed), nil
	})
}
