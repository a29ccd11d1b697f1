package relay

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// forGood stands for a pause without an end.
var forGood = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// mostAgents bounds how many there can be: each question goes to all of them.
const mostAgents = 100

// People are those who answer on WhatsApp now: whatsapp.agents, and what was changed at
// run time since.
func (r *Relay) People() []handoff.Agent {
	if p := r.people.Load(); p != nil {
		return *p
	}
	return r.Agents
}

// LoadPeople reads what was changed at run time.
func (r *Relay) LoadPeople(ctx context.Context) error {
	changed, err := r.Store.Agents(ctx)
	if err != nil {
		return err
	}
	people := merged(r.Agents, changed)
	r.people.Store(&people)
	return nil
}

// merged are the agents of the configuration with what was changed at run time. Who was
// not added there is in the configuration or no agent: it says how they are called and
// who they are.
func merged(base []handoff.Agent, changed []*store.Agent) []handoff.Agent {
	people := slices.Clone(base)
	for _, c := range changed {
		i := slices.IndexFunc(people, func(p handoff.Agent) bool { return whatsapp.SameNumber(p.Phone, c.Phone) })
		if i < 0 && !c.Added {
			continue
		}
		a := handoff.Agent{Phone: c.Phone, Name: c.Name, User: c.User}
		if !c.Added {
			a = people[i]
		}
		if c.State == store.AgentPaused {
			if a.Paused = c.Until; a.Paused.IsZero() {
				a.Paused = forGood
			}
		}
		switch {
		case c.State == store.AgentRemoved && i >= 0:
			people = slices.Delete(people, i, i+1)
		case c.State == store.AgentRemoved:
		case i >= 0:
			people[i] = a
		default:
			people = append(people, a)
		}
	}
	return people
}

// AgentList answers `agent list`. fields are {"agents": [{number, name, mxid, state}]}.
func (r *Relay) AgentList(ctx context.Context) (fields map[string]any, words text.Words, err error) {
	now := r.Store.Now()
	rows, list := []any{}, []text.AgentRow{}
	for _, a := range r.People() {
		p, err := r.Store.Phone(ctx, a.Phone)
		if err != nil {
			return nil, words, err
		}
		row, state := text.AgentRow{Number: a.Phone, Name: a.Name, Stopped: !p.Stopped.IsZero(), Open: open(p, now)}, "answers"
		if a.Paused.After(now) {
			row.Paused, state = true, "paused"
			if !a.Paused.Equal(forGood) {
				row.Until = a.Paused
			}
		}
		if row.Stopped {
			state = "stopped"
		}
		list = append(list, row)
		rows = append(rows, map[string]any{"number": a.Phone, "name": a.Name, "mxid": a.User, "state": state})
	}
	return map[string]any{"agents": rows}, text.AgentsForStaff(list), nil
}

// AgentAdd makes somebody an agent, from the next question on.
func (r *Relay) AgentAdd(ctx context.Context, by, number, name, user string) (fields map[string]any, words text.Words, err error) {
	phone, err := r.phoneNumber(number)
	if err != nil {
		return nil, words, err
	}
	people := r.People()
	same := func(a handoff.Agent) bool { return a.User == user }
	switch name = strings.Join(strings.Fields(name), " "); {
	case name == "":
		return nil, words, project.Refuse(project.BadArgument, "%s", text.AgentNameForStaff())
	case whatsapp.SameNumber(phone, r.From):
		return nil, words, project.Refuse(project.BadArgument, "%s", text.OwnNumberForStaff())
	case r.agent(phone) != nil:
		return nil, words, project.Refuse(project.Conflict, "%s", text.AgentKnownForStaff(r.agent(phone).Name))
	case user != "" && slices.ContainsFunc(people, same):
		return nil, words, project.Refuse(project.Conflict, "%s", text.AgentKnownForStaff(people[slices.IndexFunc(people, same)].Name))
	case len(people) >= mostAgents:
		return nil, words, project.Refuse(project.Unavailable, "%s", text.ManyAgentsForStaff(mostAgents))
	}
	fields, err = r.saveAgent(ctx, &store.Agent{Phone: phone, Name: name, User: user, Added: true, By: by})
	return fields, text.AgentAddedForStaff(name), err
}

// AgentRemove ends that somebody is an agent. What they answer is free for others.
func (r *Relay) AgentRemove(ctx context.Context, by, who string) (fields map[string]any, words text.Words, err error) {
	a, err := r.whichAgent(who)
	if err != nil {
		return nil, words, err
	}
	fields, err = r.changeAgent(ctx, by, a, store.AgentRemoved, time.Time{})
	return fields, text.AgentRemovedForStaff(a.Name), err
}

// AgentPause has somebody asked nothing new, for a time (0: until AgentResume). What they
// answer already goes on.
func (r *Relay) AgentPause(ctx context.Context, by, who string, span time.Duration) (fields map[string]any, words text.Words, err error) {
	a, err := r.whichAgent(who)
	if err != nil {
		return nil, words, err
	}
	until := time.Time{}
	if span > 0 {
		until = r.Store.Now().Add(span)
	}
	fields, err = r.changeAgent(ctx, by, a, store.AgentPaused, until)
	return fields, text.AgentPausedForStaff(a.Name, until), err
}

// AgentResume ends a pause.
func (r *Relay) AgentResume(ctx context.Context, by, who string) (fields map[string]any, words text.Words, err error) {
	a, err := r.whichAgent(who)
	if err != nil {
		return nil, words, err
	}
	paused := a.Paused.After(r.Store.Now())
	if !paused {
		return map[string]any{"agent": a.Phone, "changed": false}, text.AgentResumedForStaff(a.Name, false), nil
	}
	fields, err = r.changeAgent(ctx, by, a, store.AgentAnswers, time.Time{})
	return fields, text.AgentResumedForStaff(a.Name, true), err
}

// changeAgent changes an agent's state.
func (r *Relay) changeAgent(ctx context.Context, by string, a *handoff.Agent, state string, until time.Time) (map[string]any, error) {
	return r.saveAgent(ctx, &store.Agent{Phone: a.Phone, Name: a.Name, User: a.User, State: state, Until: until, By: by})
}

// saveAgent writes a change in the place of the former one. Who was added stays added.
func (r *Relay) saveAgent(ctx context.Context, a *store.Agent) (map[string]any, error) {
	former, err := r.changed(ctx, a.Phone)
	if err != nil {
		return nil, err
	}
	if former != nil { // the number in the form that it was written in before
		a.Phone, a.Added = former.Phone, a.Added || former.Added
	}
	a.At = r.Store.Now()
	if err := r.Store.SaveAgent(ctx, a); err != nil {
		return nil, err
	}
	changed, err := r.Store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	people := merged(r.Agents, changed)
	phone := a.Phone
	if i := slices.IndexFunc(people, func(p handoff.Agent) bool { return whatsapp.SameNumber(p.Phone, phone) }); i >= 0 {
		phone = people[i].Phone
	}
	queue.AfterCommit(ctx, r.Store.DB, func() {
		r.people.Store(&people)
		r.Store.Queue.Wake(store.QueueWhatsApp, phone) // what waits may not be wanted any more
	})
	return map[string]any{"agent": phone}, nil
}

func (r *Relay) changed(ctx context.Context, phone string) (*store.Agent, error) {
	all, err := r.Store.Agents(ctx)
	for _, a := range all {
		if whatsapp.SameNumber(a.Phone, phone) {
			return a, err
		}
	}
	return nil, err
}

var (
	e164  = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	blank = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "/", "", ".", "", "\u00a0", "", "whatsapp:", "")
)

// phoneNumber reads a phone number as people write it.
func (r *Relay) phoneNumber(number string) (string, error) {
	n := blank.Replace(number)
	if !e164.MatchString(n) {
		return "", project.Refuse(project.BadArgument, "%s", text.NoPhoneForStaff())
	}
	return n, nil
}

// whichAgent finds an agent by number, or by a name that only one has.
func (r *Relay) whichAgent(who string) (*handoff.Agent, error) {
	if n, err := r.phoneNumber(who); err == nil {
		if a := r.agent(n); a != nil {
			return a, nil
		}
		return nil, project.Refuse(project.NotFound, "%s", text.NoAgentForStaff())
	}
	var found []handoff.Agent
	for _, a := range r.People() {
		if strings.EqualFold(a.Name, strings.Join(strings.Fields(who), " ")) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return nil, project.Refuse(project.NotFound, "%s", text.NoAgentForStaff())
	case 1:
		return &found[0], nil
	}
	return nil, project.Refuse(project.BadArgument, "%s", text.ManyOfThatNameForStaff())
}
