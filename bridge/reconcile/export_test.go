package reconcile

import (
	"context"
	"fmt"
	"time"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// Settling makes waiting for creations that were cut off shorter.
func Settling(d time.Duration) { settling, aliasYoung = d, d }

// Look is one job of the queue, with its commit. It fails where the queue would
// try again, or would log an error.
func (r *Reconciler) Look(ctx context.Context, key string) error {
	now := r.Store.Now()
	result := r.do(ctx, queue.Job{Queue: store.QueueReconcile, Key: key, Created: now, At: now})
	if result.Retry > 0 {
		return &Again{result.Retry, result.Err}
	}
	if result.Commit != nil {
		if err := r.Store.Tx(ctx, result.Commit); err != nil {
			return err
		}
	}
	return result.Err
}

// Again says that the queue would try again after some time.
type Again struct {
	After time.Duration
	Err   error
}

func (a *Again) Error() string { return fmt.Sprintf("again after %s: %v", a.After, a.Err) }
