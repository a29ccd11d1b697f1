package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// outcome is what a look came to.
type outcome struct {
	impossible []Step   // nobody can take them
	refused    []failed // did not take, though tried twice
	away       []Step   // wait for another server's answer
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
// trouble (HTTP 5xx, no answer) keeps from being taken is treated so too. tries
// holds what was tried already.
func (r *Reconciler) converge(ctx context.Context, s *subject, tries map[deed]*try, stubborn bool) (*outcome, error) {
	o := &outcome{}
	s.tries = tries
	for range maxRounds {
		steps, err := r.steps(ctx, s, true)
		if err != nil {
			return nil, err
		}
		due := o.sort(steps, tries, func(step Step) bool { return r.fights.paused(step, r.Store.Now()) })
		if len(due) == 0 && s.refusal != nil {
			o.refused = append(o.refused, failed{err: s.refusal})
		}
		if len(due) == 0 {
			return o, o.unreadable(s, stubborn)
		}
		if err := r.promise(ctx, s, due); err != nil {
			return nil, err
		}
		if err := r.round(ctx, s, due, tries, stubborn); err != nil {
			return nil, err
		}
	}
	return nil, errRestless
}

// unreadable is the trouble of rooms whose state cannot be had: the others were put
// right all the same.
func (o *outcome) unreadable(s *subject, stubborn bool) (trouble error) {
	for _, kind := range sorted(s.unread) {
		err := fmt.Errorf("room %s: %w", kind, s.unread[kind])
		if !stubborn {
			trouble = errors.Join(trouble, err)
			continue
		}
		look := unheard(s.desired(kind))[0]
		o.refused = append(o.refused, failed{look, s.unread[kind]})
	}
	return trouble
}

// sort separates what can be done from what cannot, and puts it in order: in all
// rooms people lose what they shall not have before anything is given, and what may
// wait for other servers comes last.
func (o *outcome) sort(steps []Step, tries map[deed]*try, paused func(Step) bool) (due []Step) {
	o.impossible, o.refused, o.away = nil, nil, nil
	for _, step := range steps {
		t := tries[step.deed()]
		switch {
		case step.Op == OpImpossible:
			o.impossible = append(o.impossible, step)
		case step.later:
		case t != nil && bulkhead.Waits(t.err):
			o.away = append(o.away, step)
		case t != nil && t.count >= maxTries:
			o.refused = append(o.refused, failed{step, t.err})
		case paused(step):
			o.refused = append(o.refused, failed{step, errFight})
		default:
			due = append(due, step)
		}
	}
	slices.SortStableFunc(due, func(a, b Step) int { return a.turn() - b.turn() })
	return due
}

// turn is when a step comes, whichever room it is about.
func (s Step) turn() int {
	switch {
	case s.leaves():
		return 2
	case s.Op == OpCreate || s.Op == OpSpaceLink || s.Op == OpUnban || s.ghost != "":
		return 1
	}
	return 0
}

// leaves reports whether our homeserver may have to ask another one.
func (s Step) leaves() bool { return s.Op == OpInvite && s.ghost == "" }

func (s Step) deed() deed { return deed{s.ID, s.Room, s.Op, s.Text} }

// maxSilent is how many steps of one round may get no answer before it is the
// homeserver that gives none.
const maxSilent = 2

// round takes steps one after the other. What one of them ends in is no reason to
// leave out the next.
func (r *Reconciler) round(ctx context.Context, s *subject, due []Step, tries map[deed]*try, stubborn bool) error {
	var trouble error
	unanswered := 0
	for _, step := range due {
		s.views[step.Room] = nil // has to be read again
		err := r.take(ctx, s, step)
		if patient := stubborn || step.leaves() && r.outOfPatience(step, err); matrix.Temporary(err) && !(patient && troubled(err)) {
			trouble = errors.Join(trouble, fmt.Errorf("%s: %w", step.Op, err))
			if silent(err) {
				unanswered++
			}
			if unanswered == maxSilent || !troubled(err) && !postponed(err) {
				return trouble
			}
			continue
		}
		t := tries[step.deed()]
		if t == nil {
			t = &try{}
			tries[step.deed()] = t
		}
		t.count, t.err = t.count+1, err
		if step.leaves() && troubled(err) {
			t.count = maxTries // asking once more would take as long once more
		}
		if err == nil {
			r.report(s, step)
		}
		if err == nil && step.Drift {
			r.fights.struck(step, r.Store.Now())
		}
	}
	return trouble
}

// report says in the log what became of the super-admin room: an operator reads after the
// first start where to go, and who was asked to come.
func (r *Reconciler) report(s *subject, step Step) {
	switch {
	case s.project != nil:
	case step.Op == OpCreate:
		r.Log.Info().Str("name", s.desired(step.Room).Title).Msg("The super-admin room is made")
	case step.Op == OpInvite:
		r.Log.Info().Str("user", step.User).Msg("Invited to the super-admin room")
	}
}

// outOfPatience counts how often a call that leaves the homeserver came to nothing.
// It is counted here, and not by the attempts of a job, because no job waits for it.
func (r *Reconciler) outOfPatience(step Step, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bulkhead.Waits(err) {
		return false // it says neither
	}
	if !troubled(err) {
		delete(r.failures, step.deed())
		return false
	}
	if r.failures == nil || len(r.failures) >= maxLooks {
		r.failures = map[deed]int{}
	}
	r.failures[step.deed()]++
	return r.failures[step.deed()] > patience
}

// troubled reports trouble with this one call. It may be for good: an invitation to
// a server that is gone, a bug. silent is that of a call without an answer.
func troubled(err error) bool { return silent(err) || serverError(err) }

func silent(err error) bool {
	var e *matrix.Error
	return errors.As(err, &e) && e.Status == 0 && e.RetryAfter == 0
}

// postponed reports that it is us who let a step wait.
func postponed(err error) bool {
	var e *matrix.Error
	return errors.As(err, &e) && e.Status == 0 && e.RetryAfter > 0
}

func serverError(err error) bool {
	var e *matrix.Error
	return errors.As(err, &e) && e.Status >= http.StatusInternalServerError
}

// take takes one step.
func (r *Reconciler) take(ctx context.Context, s *subject, step Step) error {
	switch step.Op {
	case OpCreate:
		d := s.desired(step.Room)
		d.picture(s.pictures[step.Room])
		_, err := r.create(ctx, s, d, "")
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
		return r.invite(ctx, s, step)
	case OpKick:
		return r.HS.Kick(ctx, step.ID, step.User, step.reason)
	case OpUnban:
		// The same as POST /unban.
		_, err := r.HS.PutState(ctx, step.ID, typeMember, step.User, map[string]any{"membership": "leave"})
		return err
	case OpJoin:
		if step.User == r.keeper(s.project) {
			return r.HS.Join(ctx, step.User, step.ID)
		}
		if err := r.HS.EnsureGhost(ctx, step.User, step.ghost); err != nil {
			return err
		}
		return r.HS.Join(ctx, step.User, step.ID)
	}
	return fmt.Errorf("reconcile: nobody knows how to %s", step.Op)
}

// invite invites somebody. Their server may take its time, so a look does not wait
// for it: another one comes when the call has ended.
func (r *Reconciler) invite(ctx context.Context, s *subject, step Step) error {
	if r.Away == nil || s == nil || s.key == "" || !step.leaves() {
		return r.HS.Invite(ctx, step.ID, step.User, step.reason)
	}
	again := func() {
		if _, err := r.Store.Queue.Put(ctx, queue.Item{Queue: store.QueueReconcile, Key: s.key}); err != nil && ctx.Err() == nil {
			r.Log.Warn().Err(err).Msg("A look cannot be put; it comes later")
		}
	}
	_, err := bulkhead.Do(ctx, r.Away, "invite "+step.User+" "+step.ID, domainOf(step.User), again, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.HS.Invite(ctx, step.ID, step.User, step.reason)
	})
	return err
}
