package command

import (
	"context"
	"slices"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// show tells about one project, as far as everybody here may know it; the rest
// goes to the sender alone.
func (k *call) show(ctx context.Context) (*reply, error) {
	p, err := k.named(ctx, policy.See)
	if err != nil {
		return nil, err
	}
	return k.inParts(p, func(lanes []project.Kind) (*reply, error) {
		people, err := k.people(ctx, p, lanes)
		if err != nil {
			return nil, err
		}
		rooms, err := k.Store.Rooms(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		ids := map[string]any{}
		space := len(lanes) == len(k.Policy.Lanes(p))
		for _, r := range rooms {
			if slices.Contains(lanes, project.Kind(r.Kind)) || (r.Kind == string(project.Space) && space) {
				ids[r.Kind] = r.ID
			}
		}
		head := text.ProjectHeadForSender(p.Slug, p.Name, p.Profile, p.Status)
		w := text.Join(head, text.RoomsForSender(k.links(p, ids)), k.peopleWords(ctx, people, lanes))
		return &reply{fields: map[string]any{"project": facts(p), "people": people, "rooms": ids}, words: w}, nil
	})
}

// who lists the people of a project with what they may do: in a lane, the people
// of that lane.
func (k *call) who(ctx context.Context) (*reply, error) {
	p, err := k.named(ctx, policy.See)
	if err != nil {
		return nil, err
	}
	build := func(lanes []project.Kind) (*reply, error) {
		people, err := k.people(ctx, p, lanes)
		if err != nil {
			return nil, err
		}
		return &reply{fields: map[string]any{"people": people}, words: k.peopleWords(ctx, people, lanes)}, nil
	}
	if k.room.IsLane() {
		return build([]project.Kind{project.Kind(k.room.Kind)})
	}
	return k.inParts(p, build)
}

// inParts builds an answer from the lanes that everybody here sees, and for the
// sender alone another one from all that they see themselves.
func (k *call) inParts(p *project.Project, build func([]project.Kind) (*reply, error)) (*reply, error) {
	var here, all []project.Kind
	for _, lane := range k.Policy.Lanes(p) {
		if k.mayShow(p, lane) {
			here = append(here, lane)
		}
		if k.sees(p, k.sender, lane) {
			all = append(all, lane)
		}
	}
	r, err := build(here)
	if err == nil && len(all) > len(here) {
		r.rest, err = k.apart(func() (*reply, error) { return build(all) })
	}
	return r, err
}

// people lists those who have anything in the given lanes.
func (k *call) people(ctx context.Context, p *project.Project, lanes []project.Kind) ([]any, error) {
	membership := map[project.Kind]map[string]string{}
	for _, lane := range lanes {
		membership[lane] = map[string]string{}
		room, err := k.Store.LaneRoom(ctx, p.ID, string(lane))
		if err != nil {
			return nil, err
		}
		if room == nil || room.ID == "" {
			continue
		}
		members, err := k.Store.Members(ctx, room.ID)
		if err != nil {
			return nil, err
		}
		for user, e := range members {
			membership[lane][user] = e.Membership()
		}
	}
	out := []any{}
	for _, person := range p.People {
		access, in := k.access(p, person.User, lanes), map[string]any{}
		member := false
		for _, lane := range lanes {
			if access[string(lane)] == project.None.String() {
				delete(access, string(lane))
				continue
			}
			member = true
			in[string(lane)] = membership[lane][person.User]
		}
		if member {
			out = append(out, map[string]any{"user": person.User, "role": person.Role, "access": access, "membership": in})
		}
	}
	return out, nil
}

// peopleWords is the same for people: a line for each person.
func (k *call) peopleWords(ctx context.Context, people []any, lanes []project.Kind) text.Words {
	var lines []text.Words
	for _, one := range people[:min(len(people), maxListed)] {
		person := one.(map[string]any)
		access, in := person["access"].(map[string]any), person["membership"].(map[string]any)
		var standing []text.Standing
		for _, lane := range lanes {
			rung, ok := access[string(lane)].(string)
			if !ok {
				continue
			}
			a, _ := project.ParseAccess(rung)
			membership, _ := in[string(lane)].(string)
			s := text.Standing{Access: a, Membership: membership}
			if len(lanes) > 1 {
				s.Lane = text.LaneWord(lane)
			}
			standing = append(standing, s)
		}
		lines = append(lines, text.PersonForSender(k.person(ctx, person["user"].(string)), person["role"].(project.Role), standing))
	}
	if len(lines) == 0 {
		return text.NobodyForSender()
	}
	return text.Join(lines...)
}

// links leads to the rooms of a project, in the order of its lanes.
func (k *call) links(p *project.Project, ids map[string]any) (rooms []text.Pill) {
	for _, kind := range append([]project.Kind{project.Space}, k.Policy.Lanes(p)...) {
		if id, _ := ids[string(kind)].(string); id != "" {
			rooms = append(rooms, text.Pill{ID: id, Name: text.LaneWord(kind), Via: k.Store.Domain})
		}
	}
	return rooms
}

// why says by which rules somebody has what they have.
func (k *call) why(ctx context.Context) (*reply, error) {
	user, err := k.user()
	if err != nil {
		return nil, err
	}
	p, err := k.resolve(ctx, "", policy.See)
	if err != nil {
		return nil, err
	}
	lane, ok := k.lane(p)
	if !ok {
		lane = project.Customer
		if k.room.IsLane() {
			lane = project.Kind(k.room.Kind)
		}
	}
	if err := k.done(); err != nil {
		return nil, err
	}
	full := user == k.sender || k.decides(p)
	switch {
	case !k.knows(p, k.sender, lane) || !full && !k.namesIn(p, user, lane):
		return nil, project.Forbidden() // the same for people, strangers and lanes that are not there
	case !full:
		return k.seenIn(ctx, p, user, lane), nil
	case !k.room.IsLane() || k.Policy.AllCan(p, project.Kind(k.room.Kind), policy.Approve, policy.People):
		return k.because(ctx, p, user, lane)
	}
	r := &reply{fields: map[string]any{"person": user, "lane": lane, "because": []any{}}}
	if k.mayShow(p, lane) && k.Policy.Access(p, user, lane, k.now) > project.None {
		r = k.seenIn(ctx, p, user, lane)
	}
	r.rest, err = k.because(ctx, p, user, lane)
	return r, err
}

// decides reports whether the sender has rights over people here, so that the
// reasons for what anybody has are theirs to know.
func (k *call) decides(p *project.Project) bool {
	return k.Policy.Can(k.sender, policy.Approve, p) || k.Policy.Can(k.sender, policy.People, p)
}

// namesIn reports whether who would name somebody in a lane to the sender.
func (k *call) namesIn(p *project.Project, user string, lane project.Kind) bool {
	return k.sees(p, k.sender, lane) && k.Policy.Access(p, user, lane, k.now) > project.None
}

// because gives all rules that led to what somebody has in a lane.
func (k *call) because(ctx context.Context, p *project.Project, user string, lane project.Kind) (*reply, error) {
	lines := []text.Words{text.AccessForSender(k.person(ctx, user), title(p, lane), k.Policy.Access(p, user, lane, k.now))}
	list := []any{}
	var shown *project.Grant
	for _, r := range k.Policy.Because(p, user, lane, k.now) {
		w := text.Say("%s", r.Text)
		switch r.Rule {
		case policy.RuleGrant:
			shown = p.Grant(user, lane)
			w = text.GrantForSender(k.person(ctx, r.By), *shown)
		case policy.RuleEnded:
			w = text.EndedGrantForSender(k.person(ctx, r.By), r.Text)
		}
		list = append(list, map[string]any{"rule": r.Rule, "text": w.Plain})
		lines = append(lines, w)
	}
	decided, err := k.decisions(ctx, p, user, lane)
	if err != nil {
		return nil, err
	}
	for _, d := range decided {
		list = append(list, map[string]any{"rule": "decision", "text": d.words.Plain})
		if shown == nil || !d.is(shown) {
			lines = append(lines, d.words)
		}
	}
	return &reply{fields: map[string]any{"person": user, "lane": lane, "because": list}, words: text.Join(lines...)}, nil
}

// seenIn says of somebody in a lane what who says of them there, and no more.
func (k *call) seenIn(ctx context.Context, p *project.Project, user string, lane project.Kind) *reply {
	access, role := k.Policy.Access(p, user, lane, k.now), p.Person(user).Role
	w, words := text.AccessForSender(k.person(ctx, user), title(p, lane), access), text.RoleForSender(role)
	because := []any{map[string]any{"rule": policy.RuleRole, "text": words}}
	return &reply{fields: map[string]any{"person": user, "lane": lane, "because": because}, words: text.Join(w, text.Say("%s", words))}
}

// requests lists the open ones: all for those who decide, else one's own. Where
// not everybody decides, the list goes to the sender alone.
func (k *call) requests(ctx context.Context) (*reply, error) {
	if err := k.done(); err != nil {
		return nil, err
	}
	p, err := k.resolve(ctx, "", policy.See)
	if err != nil {
		return nil, err
	}
	decides := k.Policy.Can(k.sender, policy.Approve, p) || k.everywhere(policy.Approve)
	k.alone = k.room.IsLane() && k.room.Kind != string(project.Notes)
	list, lines := []any{}, []text.Words{}
	for _, q := range p.Requests {
		if !decides && q.User != k.sender {
			continue
		}
		list = append(list, map[string]any{"number": q.Number, "user": q.User, "lane": q.Lane, "access": q.Access.String(), "reason": q.Reason, "state": q.State})
		lines = append(lines, text.RequestForSender(q, k.person(ctx, q.User), title(p, q.Lane)))
	}
	if len(list) == 0 {
		lines = append(lines, text.NoRequestsForSender())
	}
	full := &reply{fields: map[string]any{"requests": list}, words: text.Join(lines...)}
	if !k.room.IsLane() || len(list) == 0 || k.room.Kind == string(project.Notes) {
		return full, nil
	}
	return &reply{fields: map[string]any{"requests": []any{}}, words: text.Words{}, rest: full}, nil
}

// plan names what apply would change. Steps of lanes that not everybody here may
// know go to the sender alone.
func (k *call) plan(ctx context.Context) (*reply, error) {
	p, err := k.named(ctx, policy.Project)
	if err != nil {
		return nil, err
	}
	return k.steps(ctx, p)
}

func (k *call) steps(ctx context.Context, p *project.Project) (*reply, error) {
	steps, err := k.Plan(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	full := stepsReply(steps)
	if !k.room.IsLane() {
		return full, nil
	}
	here := slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return !k.mayShow(p, project.Kind(s.Room)) })
	if len(here) == len(steps) {
		return full, nil
	}
	r := stepsReply(here)
	r.rest = full
	if len(here) == 0 { // not that all were well
		r.words = text.Words{}
	}
	return r, nil
}

// stepsReply lists steps.
func stepsReply(named []Step) *reply {
	list, lines := []any{}, []text.Words{text.PlanForSender(len(named))}
	for _, s := range named {
		list = append(list, map[string]any{"room": s.Room, "op": s.Op, "text": s.Text})
		if len(lines) <= maxListed {
			lines = append(lines, text.Say("%s", s.Text))
		}
	}
	return &reply{fields: map[string]any{"steps": list}, words: text.Join(lines...)}
}

func (k *call) apply(ctx context.Context) (*reply, error) {
	p, err := k.named(ctx, policy.Project)
	if err != nil {
		return nil, err
	}
	r, err := k.steps(ctx, p)
	if err != nil {
		return nil, err
	}
	done, err := k.Actions.Apply(ctx, k.act(), p.ID)
	if err != nil {
		return nil, err
	}
	r.when = done.Project
	for _, part := range []*reply{r, r.rest} {
		if part != nil && part.words.Plain != "" {
			part.words = text.AppliedForSender(len(listIn(part.fields["steps"])))
		}
	}
	return r, nil
}

func listIn(v any) []any {
	l, _ := v.([]any)
	return l
}
