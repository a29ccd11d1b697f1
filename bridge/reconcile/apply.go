package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"lanekeeper/bridge/matrix"
)

// outcome is what a look came to.
type outcome struct {
	impossible []Step   // nobody can take them
	refused    []failed // did not take, though tried twice
	drift      []Step   // taken, and a person's hand was behind it if the record did not change
}

// failed is a step that did not take. err is nil if the homeserver said yes and
// yet it is not so.
type failed struct {
	step Step
	err  error
}

// maxRounds ends a look at rooms that somebody keeps changing; the next look goes
// on. A round that changes something is followed by one that looks again.
const maxRounds = 12

// maxTries is how often a step is tried in one look.
const maxTries = 2

var errRestless = errors.New("rooms change as fast as they are put right")

// deed identifies a step over rounds.
type deed struct{ id, room, op, text string }

type try struct {
	count int
	err   error
}

// converge takes steps until there are none that can be taken. What fails for now
// is an error, to be tried again from the start. What is refused does not keep the
// other steps waiting: it is tried twice in all, since another step may have made
// it possible or superfluous. With stubborn, a step that only the homeserver's own
// trouble (HTTP 5xx) keeps from being taken is treated so too. tries holds what
// was tried already.
func (r *Reconciler) converge(ctx context.Context, s *subject, tries map[deed]*try, stubborn bool) (*outcome, error) {
	o := &outcome{}
	for range maxRounds {
		steps, err := r.steps(ctx, s, true)
		if s.refusal != nil {
			o.refused = []failed{{err: s.refusal}}
			return o, nil
		}
		if err != nil {
			return nil, err
		}
		todo := o.sort(steps, tries)
		if len(todo) == 0 {
			return o, nil
		}
		if err := r.round(ctx, s, todo, tries, o, stubborn); err != nil {
			return nil, err
		}
	}
	return nil, errRestless
}

// sort separates what can be done from what cannot.
func (o *outcome) sort(steps []Step, tries map[deed]*try) (todo []Step) {
	o.impossible, o.refused = nil, nil
	for _, step := range steps {
		t := tries[step.deed()]
		switch {
		case step.Op == OpImpossible:
			o.impossible = append(o.impossible, step)
		case step.later:
		case t != nil && t.count >= maxTries:
			o.refused = append(o.refused, failed{step, t.err})
		default:
			todo = append(todo, step)
		}
	}
	return todo
}

func (s Step) deed() deed { return deed{s.ID, s.Room, s.Op, s.Text} }

// round takes steps one after the other.
func (r *Reconciler) round(ctx context.Context, s *subject, todo []Step, tries map[deed]*try, o *outcome, stubborn bool) error {
	var trouble error
	for _, step := range todo {
		s.views[step.Room] = nil // has to be read again
		err := r.take(ctx, s, step)
		switch {
		case err != nil && matrix.Temporary(err) && !serverError(err):
			return fmt.Errorf("%s: %w", step.Op, err)
		case serverError(err) && !stubborn:
			trouble = fmt.Errorf("%s: %w", step.Op, err)
			continue
		}
		t := tries[step.deed()]
		if t == nil {
			t = &try{}
			tries[step.deed()] = t
		}
		t.count, t.err = t.count+1, err
		if err == nil && step.Drift && t.count == 1 {
			o.drift = append(o.drift, step)
		}
	}
	return trouble
}

// serverError reports trouble of the homeserver with this one call. It may be for
// good: an invitation to a server that is gone, a bug.
func serverError(err error) bool {
	var e *matrix.Error
	return errors.As(err, &e) && e.Status >= http.StatusInternalServerError
}

// take takes one step.
func (r *Reconciler) take(ctx context.Context, s *subject, step Step) error {
	switch step.Op {
	case OpCreate:
		_, err := r.create(ctx, s, s.desired(step.Room), "")
		return err
	case OpState, OpLevels, OpSpaceLink:
		_, err := r.HS.PutState(ctx, step.ID, step.typ, step.key, step.content)
		return err
	case OpInvite:
		if step.ghost != "" {
			if err := r.HS.EnsureGhost(ctx, step.User, step.ghost); err != nil {
				return err
			}
		}
		return r.HS.Invite(ctx, step.ID, step.User)
	case OpKick:
		return r.HS.Kick(ctx, step.ID, step.User, "") // a reason would be read by the whole room
	case OpUnban:
		// The same as POST /unban.
		_, err := r.HS.PutState(ctx, step.ID, typeMember, step.User, map[string]any{"membership": "leave"})
		return err
	case OpJoin:
		if step.User == r.HS.Bot() {
			return r.HS.Join(ctx, "", step.ID)
		}
		if err := r.HS.EnsureGhost(ctx, step.User, step.ghost); err != nil {
			return err
		}
		return r.HS.Join(ctx, step.User, step.ID)
	}
	return fmt.Errorf("reconcile: nobody knows how to %s", step.Op)
}
