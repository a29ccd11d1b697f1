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

// A turn in a hurry puts hurryPortion looks every hurryStep, as long as no more than
// twice as many wait: commands shall not have to wait behind all projects.
const (
	hurryStep    = time.Second
	hurryPortion = 50
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

	Policy string `json:"policy"` // fingerprint of the configuration that this turn goes by
	Hurry  bool   `json:"hurry"`  // that one is new: who lost their access by it shall not keep it for hours
}

// portion is how many projects one step looks at so that a turn takes sweepEvery.
// Nobody counts them: there are about as many as the last time.
func (t turn) portion() int {
	if t.Hurry {
		return hurryPortion
	}
	if t.Last == 0 {
		return firstPortion
	}
	return 1 + max(t.Last, t.Done)/int(sweepEvery/sweepStep)
}

// sweep puts looks at the super-admin room and all projects, evenly over
// sweepEvery or, where they are few, one in each step. Nothing happens at the
// start, unless the configuration has changed: what else changed while we were
// away, the sync tells.
func (r *Reconciler) sweep(ctx context.Context) {
	pause := sweepStep
	if t, err := r.turn(ctx); err == nil && t.Hurry {
		pause = 0
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		hurry := false
		if err := r.Store.Tx(ctx, func(ctx context.Context) (err error) {
			hurry, err = r.sweepSome(ctx)
			return err
		}); err != nil && ctx.Err() == nil {
			r.Log.Warn().Err(err).Msg("Looking at all projects failed; the next try goes on")
		}
		if pause = sweepStep; hurry {
			pause = hurryStep
		}
	}
}

// turn is where the sweep stands. Under another configuration it begins anew.
func (r *Reconciler) turn(ctx context.Context) (t turn, err error) {
	raw, err := r.Store.Meta(ctx, metaSweep)
	if err != nil {
		return t, err
	}
	_ = json.Unmarshal([]byte(raw), &t) // what cannot be read begins a new turn
	if print := r.fingerprint(); t.Policy != print {
		t = turn{Last: t.Last, Policy: print, Hurry: true}
	}
	return t, nil
}

// sweepSome puts the looks of one step, in the transaction that notes how far it
// came.
func (r *Reconciler) sweepSome(ctx context.Context) (hurry bool, err error) {
	t, err := r.turn(ctx)
	if err != nil {
		return false, err
	}
	if t.Hurry {
		if depth, err := r.Store.Queue.Depth(ctx); err != nil || depth[store.QueueReconcile].Count > 2*hurryPortion {
			return true, err
		}
	}
	n := t.portion()
	ids, err := r.Store.ProjectIDs(ctx, t.After, n)
	if err != nil {
		return false, err
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
		t = turn{Last: t.Done, Policy: t.Policy}
	}
	if _, err := r.Store.Queue.Put(ctx, items...); err != nil {
		return false, err
	}
	b, err := json.Marshal(t)
	if err != nil {
		return false, err
	}
	return t.Hurry, r.Store.SetMeta(ctx, metaSweep, string(b))
}
