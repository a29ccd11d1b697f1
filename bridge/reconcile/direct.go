package reconcile

import (
	"context"
	"fmt"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// EnsureDirect gives the direct chat of the bot with a person; call it when there
// is something to say to them. Without one it is opened. Who left it, or declined
// it, is invited to it again; where the bot was put out, a new one is opened.
func (r *Reconciler) EnsureDirect(ctx context.Context, user string) (string, error) {
	r.directs.Lock(user)
	defer r.directs.Unlock(user)
	row, err := r.Store.DirectRoom(ctx, user)
	if err != nil {
		return "", err
	}
	if row != nil && row.ID != "" {
		if open, err := r.reopen(ctx, row); open || err != nil {
			return row.ID, err
		}
		if err := r.Store.ForgetDirect(ctx, user, row.ID); err != nil {
			return "", err
		}
	}
	return r.openDirect(ctx, user)
}

// reopen gets both into a direct chat that exists; false if that cannot be.
func (r *Reconciler) reopen(ctx context.Context, row *store.Room) (bool, error) {
	bot, err := r.Store.Member(ctx, row.ID, r.HS.Bot())
	if err != nil {
		return false, err
	}
	if bot != nil && (bot.Membership() == "leave" || bot.Membership() == "ban") {
		return false, nil
	}
	them, err := r.Store.Member(ctx, row.ID, row.User)
	if err != nil || them == nil || them.Membership() == "join" || them.Membership() == "invite" {
		return err == nil, err
	}
	err = r.HS.Invite(ctx, row.ID, row.User)
	if refused(err) {
		// They may be in by now; or it is their room, and they let nobody in.
		a, out, err := r.read(ctx, row.ID, true)
		if out || err != nil {
			return false, err
		}
		is := a.member(row.User).is
		return is == "join" || is == "invite", nil
	}
	return err == nil, err
}

// openDirect makes the room and brings it to what it shall be, once.
func (r *Reconciler) openDirect(ctx context.Context, user string) (string, error) {
	s := &subject{kinds: []string{store.Direct}, views: map[string]*view{}}
	s.desired = func(string) *Desired { return DesiredDirect(r.Policy, user) }
	row, err := r.create(ctx, s, DesiredDirect(r.Policy, user), user)
	if err != nil {
		return "", fmt.Errorf("direct chat: %w", err)
	}
	o, err := r.converge(ctx, s, map[deed]*try{}, false)
	if err != nil {
		return "", fmt.Errorf("direct chat: %w", err)
	}
	for _, f := range o.refused {
		if f.step.Op == OpInvite && f.err != nil && !matrix.Temporary(f.err) {
			return "", fmt.Errorf("direct chat: %w", f.err) // nobody would read it
		}
	}
	return row.ID, nil
}
