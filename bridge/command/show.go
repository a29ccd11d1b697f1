package command

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"lanekeeper/bridge/markup"
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
		head := text.Say("%s · %s (%s, %s)", p.Slug, p.Name, p.Profile, p.Status)
		return &reply{fields: map[string]any{"project": facts(p), "people": people, "rooms": ids}, words: text.Join(head, k.peopleWords(ctx, p, lanes))}, nil
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
		return &reply{fields: map[string]any{"people": people}, words: k.peopleWords(ctx, p, lanes)}, nil
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
		r.rest, err = build(all)
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

// peopleWords is the same for people: a line for each lane.
func (k *call) peopleWords(ctx context.Context, p *project.Project, lanes []project.Kind) text.Words {
	var lines []text.Words
	for _, lane := range lanes {
		by := map[string][]text.Words{}
		for _, person := range p.People {
			if k.Policy.Access(p, person.User, lane, k.now) > project.None {
				by[string(person.Role)] = append(by[string(person.Role)], text.Say("%s", k.pill(ctx, person.User)))
			}
		}
		var parts []text.Words
		for _, role := range slices.Sorted(maps.Keys(by)) {
			parts = append(parts, text.Say("%s: %s", role, text.List(by[role])))
		}
		if len(parts) > 0 {
			lines = append(lines, text.Say("%s – %s", title(p, lane), text.Separate("; ", parts)))
		}
	}
	if len(lines) == 0 {
		return text.Say("There is nobody that I could name here.")
	}
	return text.Join(lines...)
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
	lines := []text.Words{text.Say("%s in %s: %s.", k.pill(ctx, user), title(p, lane), k.Policy.Access(p, user, lane, k.now).String())}
	list := []any{}
	for _, r := range k.Policy.Because(p, user, lane, k.now) {
		list = append(list, map[string]any{"rule": r.Rule, "text": r.Text})
		lines = append(lines, text.Say("%s", r.Text))
	}
	decided, err := k.decisions(ctx, p, user, lane)
	if err != nil {
		return nil, err
	}
	for _, w := range decided {
		list = append(list, map[string]any{"rule": "decision", "text": w.Plain})
		lines = append(lines, w)
	}
	return &reply{fields: map[string]any{"person": user, "lane": lane, "because": list}, words: text.Join(lines...)}, nil
}

// seenIn says of somebody in a lane what who says of them there, and no more.
func (k *call) seenIn(ctx context.Context, p *project.Project, user string, lane project.Kind) *reply {
	access, role := k.Policy.Access(p, user, lane, k.now).String(), string(p.Person(user).Role)
	w := text.Say("%s in %s: %s.", k.pill(ctx, user), title(p, lane), access)
	words := fmt.Sprintf("Their role here is %s.", role)
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
	list, lines := []any{}, []text.Words{}
	for _, q := range p.Requests {
		if !decides && q.User != k.sender {
			continue
		}
		list = append(list, map[string]any{"number": q.Number, "user": q.User, "lane": q.Lane, "access": q.Access.String(), "reason": q.Reason, "state": q.State})
		w := text.Say("#%d · %s · %s in %s", q.Number, k.pill(ctx, q.User), q.Access.String(), title(p, q.Lane))
		if q.Reason != "" {
			w = text.Join(w, markup.Quote(text.Say("%s", q.Reason)))
		}
		lines = append(lines, w)
	}
	if len(list) == 0 {
		lines = append(lines, text.Say("No request is open."))
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
	list, lines := []any{}, []text.Words{text.Say("%s", plural(len(named)))}
	for _, s := range named {
		list = append(list, map[string]any{"room": s.Room, "op": s.Op, "text": s.Text})
		if len(lines) <= maxListed {
			lines = append(lines, text.Say("%s", s.Text))
		}
	}
	return &reply{fields: map[string]any{"steps": list}, words: text.Join(lines...)}
}

func plural(n int) string {
	switch n {
	case 0:
		return "The rooms are as the record says."
	case 1:
		return "One thing differs from the record:"
	}
	return fmt.Sprintf("%d things differ from the record:", n)
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
			part.words = text.Say("%s", applied(len(listIn(part.fields["steps"]))))
		}
	}
	return r, nil
}

func listIn(v any) []any {
	l, _ := v.([]any)
	return l
}

// applied says what plural says, once it is done.
func applied(n int) string {
	switch n {
	case 0:
		return plural(0)
	case 1:
		return "One thing was brought to the record."
	}
	return fmt.Sprintf("%d things were brought to the record.", n)
}
