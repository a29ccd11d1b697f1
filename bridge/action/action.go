// Package action is what people can do with projects. Each action is one function:
// it loads what it needs, asks the policy, lets the domain decide, and writes rows
// and effects in the transaction that the context carries. Commands, reactions and
// timers call the same functions, and so does every door to come: a door only turns
// what arrived into the call, and the outcome into its answer.
package action

import (
	"context"
	"slices"
	"strconv"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Actions is what the actions need.
type Actions struct {
	Store  *store.Store
	Policy *policy.Policy
	Relay  *relay.Relay
}

// Door is the way by which an action was asked for.
type Door string

// The doors.
const (
	Command  Door = "command"
	Reaction Door = "reaction"
	Timer    Door = "timer"
)

// Act is one wish to do something.
type Act struct {
	By    string // MXID of who acts; "" is the clock
	Door  Door
	At    time.Time // when it was said, by the homeserver's clock
	Event string    // that said it, "" for timers
	// Lane is the room id of the lane where it was typed, "" elsewhere, and Thread the
	// root of the thread that it stands in there: what becomes of it is said there, too.
	Lane, Thread string
}

// Done is the outcome of an action. What the person concerned is told is on its
// way already: they hear it when Matrix shows the change.
type Done struct {
	project.Change
	Project *project.Project // as it is now
}

// load gives a project to somebody who has one of the abilities there. Whoever may
// not hears the same words whether it exists or not.
func (a *Actions) load(ctx context.Context, act Act, id string, needs ...policy.Ability) (*project.Project, error) {
	p, err := a.Store.Project(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !slices.ContainsFunc(needs, func(n policy.Ability) bool { return a.Policy.Can(act.By, n, p) }):
		return nil, project.Forbidden()
	case p == nil:
		return nil, project.Refuse(project.NotFound, "%s", text.GoneProjectForStaff())
	}
	return p, nil
}

// save writes a changed project and what was decided, shows on the cards of requests
// what became of them, sets the clock for the next grant that ends, and has the
// rooms brought to the record.
func (a *Actions) save(ctx context.Context, act Act, p *project.Project, closed []project.Request, decided ...project.Entry) error {
	if err := a.Store.SaveProject(ctx, p); err != nil {
		return err
	}
	for i := range decided {
		e := &decided[i]
		e.At, e.By, e.Door, e.Event = a.Store.Now(), act.By, string(act.Door), act.Event
	}
	if err := a.Store.Keep(ctx, p.ID, decided...); err != nil {
		return err
	}
	effects := []effect.Effect{{Reconcile: &effect.Reconcile{Project: p.ID}}}
	for _, q := range closed {
		if err := a.Store.SaveRequest(ctx, q); err != nil {
			return err
		}
		edits, err := a.cardEdits(ctx, p, q)
		if err != nil {
			return err
		}
		effects = append(effects, edits...)
	}
	if err := a.Store.Do(ctx, effects...); err != nil {
		return err
	}
	return a.arm(ctx, p)
}

// tell says something to people in their direct chats when Matrix shows the project
// as it is now. about are those whom the change concerns.
func (a *Actions) tell(ctx context.Context, p *project.Project, about []string, told ...effect.Effect) error {
	if len(told) == 0 {
		return nil
	}
	key := "told:" + p.ID + ":" + strconv.FormatInt(p.Revision, 10)
	return a.Store.AnswerWhen(ctx, &store.Answer{Command: key, About: about, Then: told}, p.ID, p.Revision)
}

// inDirect is a decision on somebody, said to them in their direct chat: a message
// that notifies them.
func inDirect(user string, w text.Words) effect.Effect {
	return effect.Effect{Message: &effect.Message{To: effect.Place{Person: user}, Content: w.Mention(user).Message()}}
}

// pill is a person in words for another one's direct chat.
func (a *Actions) pill(ctx context.Context, user string) text.Pill {
	return text.Pill{ID: user, Name: a.Store.Name(ctx, user)}
}
