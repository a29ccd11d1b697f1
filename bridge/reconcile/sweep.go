package reconcile

import (
	"context"
	"encoding/json"
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

// metaSweep is where the sweep stands: it goes on there after a restart.
const metaSweep = "sweep"

// firstPortion is the portion while nobody knows how many there are.
const firstPortion = 100

// turn is one time round all projects, by their ids.
type turn struct {
	After string `json:"after"` // the last project that was looked at; "": a new turn begins
	Done  int    `json:"done"`  // in this turn
	Last  int    `json:"last"`  // in the turn before
}

// portion is how many projects one step looks at so that a turn takes sweepEvery.
// Nobody counts them: there are about as many as the last time.
func (t turn) portion() int {
	if t.Last == 0 {
		return firstPortion
	}
	return 1 + max(t.Last, t.Done)/int(sweepEvery/sweepStep)
}

// sweep puts looks at the super-admin room and all projects, evenly over
// sweepEvery or, where they are few, one in each step. Nothing happens at the
// start: what changed while we were away, the sync tells.
func (r *Reconciler) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepStep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.Store.Tx(ctx, r.sweepSome); err != nil && ctx.Err() == nil {
			r.Log.Warn().Err(err).Msg("Looking at all projects failed; the next try goes on")
		}
	}
}

// sweepSome puts the looks of one step, in the transaction that notes how far it
// came.
func (r *Reconciler) sweepSome(ctx context.Context) error {
	raw, err := r.Store.Meta(ctx, metaSweep)
	if err != nil {
		return err
	}
	var t turn
	_ = json.Unmarshal([]byte(raw), &t) // what cannot be read begins a new turn
	n := t.portion()
	ids, err := r.Store.ProjectIDs(ctx, t.After, n)
	if err != nil {
		return err
	}
	items := make([]queue.Item, 0, n+1)
	if t.After == "" {
		items = append(items, queue.Item{Queue: store.QueueReconcile, Key: store.KeySuperAdmin})
	}
	for _, id := range ids {
		t.After = id
		items = append(items, queue.Item{Queue: store.QueueReconcile, Key: id})
	}
	if t.Done += len(ids); len(ids) < n {
		t = turn{Last: t.Done}
	}
	if _, err := r.Store.Queue.Put(ctx, items...); err != nil {
		return err
	}
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return r.Store.SetMeta(ctx, metaSweep, string(b))
}
