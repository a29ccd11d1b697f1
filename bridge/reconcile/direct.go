package reconcile

import (
	"context"
	"fmt"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// Direct gives the direct chat of the bot with a person where both are in or
// invited, by what events told; false: EnsureDirect has something to do.
func (r *Reconciler) Direct(ctx context.Context, user string) (string, bool, error) {
	row, err := r.Store.DirectRoom(ctx, user)
	if err != nil || row == nil || row.ID == "" {
		return "", false, err
	}
	shut, missing, err := r.inDirect(ctx, row)
	return row.ID, err == nil && !shut && !missing, err
}

// inDirect reports of a direct chat whether the bot is out, and whether the person
// is. Of whom nothing was told yet counts as in.
func (r *Reconciler) inDirect(ctx context.Context, row *store.Room) (shut, missing bool, err error) {
	bot, err := r.Store.Member(ctx, row.ID, r.keeper(nil))
	if err != nil {
		return false, false, err
	}
	them, err := r.Store.Member(ctx, row.ID, row.User)
	if err != nil {
		return false, false, err
	}
	shut = bot != nil && (bot.Membership() == "leave" || bot.Membership() == "ban")
	missing = them != nil && them.Membership() != "join" && them.Membership() != "invite"
	return shut, missing, nil
}

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
	if shut, missing, err := r.inDirect(ctx, row); shut || !missing || err != nil {
		return !shut && err == nil, err
	}
	err := r.HS.Invite(ctx, row.ID, row.User, "")
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
