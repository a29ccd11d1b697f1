package reconcile

import (
	"context"
	"time"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// sweepEvery is how often each project is looked at without a reason: for what no
// event told. sweepStep is the time between two portions.
const (
	sweepEvery = 6 * time.Hour
	sweepStep  = time.Minute
)

// sweep puts looks at the super-admin room and all projects, evenly over
// sweepEvery or, where they are few, one in each step. Nothing happens at the
// start: what changed while we were away, the sync tells.
func (r *Reconciler) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepStep)
	defer tick.Stop()
	var t turn
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.sweepSome(ctx, &t); err != nil && ctx.Err() == nil {
			r.Log.Warn().Err(err).Msg("Looking at all projects failed; the next try goes on")
		}
	}
}

// turn is one time round.
type turn struct {
	left    []string // keys that wait
	portion int      // in one step
}

// sweepSome puts the looks of one step. When nobody waits, a new turn begins.
func (r *Reconciler) sweepSome(ctx context.Context, t *turn) error {
	if len(t.left) == 0 {
		all, err := r.Store.Projects(ctx)
		if err != nil {
			return err
		}
		t.left = append(t.left, store.KeySuperAdmin)
		for _, p := range all {
			t.left = append(t.left, p.ID)
		}
		t.portion = 1 + len(t.left)/int(sweepEvery/sweepStep)
	}
	n := min(t.portion, len(t.left))
	items := make([]queue.Item, n)
	for i, key := range t.left[:n] {
		items[i] = queue.Item{Queue: store.QueueReconcile, Key: key}
	}
	if _, err := r.Store.Queue.Put(ctx, items...); err != nil {
		return err
	}
	t.left = t.left[n:]
	return nil
}
