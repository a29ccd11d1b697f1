package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/config"
)

// errAway: the database does not answer, and is waited for.
var errAway = errors.New("the database does not answer")

// databaseError ends the start if the database refuses us.
func (b *Bridge) databaseError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if store.Away(err) {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	return exit(ExitDatabase, "%s", DatabaseSentence(b.cfg, err))
}

// DatabaseSentence says that the database cannot be used, and what to do.
func DatabaseSentence(cfg *config.Config, err error) string {
	cause, fix := DatabaseTrouble(cfg, err)
	return cause + " " + fix
}

// DatabaseTrouble is DatabaseSentence in its two parts.
func DatabaseTrouble(cfg *config.Config, err error) (cause, fix string) {
	check := "it runs, that the address and the password are right, and that Lanekeeper may make tables there"
	if cfg.Database.Type == store.SQLite {
		check = "its directory exists and that Lanekeeper may write there"
	}
	return fmt.Sprintf("Cannot use the database (database.uri): %v.", err), fmt.Sprintf("Check that %s.", check)
}

// ownPause is how long nothing happens after the database was lost: it may come and go.
const ownPause = 250 * time.Millisecond

// pause waits, or gives ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// term is one time as the owner of the database: from the lock to its end. Every
// stage is made anew for it, so nothing of an earlier term goes on.
func (b *Bridge) term(ctx context.Context, begin func() error) error {
	owner, release, err := store.Lock(ctx, b.cfg.Database.Type, b.cfg.Database.URI, b.log)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	defer release()
	if err := begin(); err != nil {
		return err
	}
	fresh := &Bridge{cfg: b.cfg, log: b.log, version: b.version, policy: b.policy, metrics: b.metrics, health: b.health}
	err = fresh.own(owner)
	if errors.Is(context.Cause(owner), store.ErrLockLost) {
		return store.ErrLockLost
	}
	return err
}

// own works on the database that this process owns now.
func (b *Bridge) own(ctx context.Context) error {
	db, err := store.Open(ctx, b.cfg.Database.Type, b.cfg.Database.URI, b.log)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	defer db.Close()
	epoch, err := store.TakeOver(ctx, db)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	q := queue.New(db, queue.System{}, b.log)
	fence := store.Fence(db, epoch)
	q.Fence(func(ctx context.Context) error {
		err := fence(ctx)
		if errors.Is(err, queue.ErrFenced) {
			lost(store.ErrLockLost)
		}
		return err
	})
	b.store = &store.Store{DB: db, Queue: q, Domain: b.cfg.Homeserver.Domain, Aliases: b.cfg.GhostPrefix(), NewID: newID, Now: time.Now}
	if err = b.stages(ctx); errors.Is(context.Cause(ctx), store.ErrLockLost) {
		return store.ErrLockLost
	}
	return err
}

// stages runs everything that works on the database.
func (b *Bridge) stages(ctx context.Context) error {
	q := b.store.Queue
	q.OnPark(b.parked)
	group, ctx := errgroup.WithContext(ctx)
	if b.cfg.Metrics.Enabled {
		listener, err := b.listenMetrics()
		if err != nil {
			return err
		}
		group.Go(func() error { return b.serveMetrics(ctx, listener) })
	}
	group.Go(func() error {
		if err := b.connect(ctx); err != nil {
			return err
		}
		if err := b.wire(ctx); err != nil {
			return err
		}
		return b.work(ctx)
	})
	return group.Wait()
}

// instance is a random name of this database: transaction ids begin with it, so
// that another database on the same homeserver repeats none of them.
func (b *Bridge) instance(ctx context.Context) (string, error) {
	id, err := b.store.Meta(ctx, "instance")
	if err == nil && id == "" {
		id = newID()[:12]
		err = b.store.SetMeta(ctx, "instance", id)
	}
	if err != nil {
		return "", b.databaseError(ctx, err)
	}
	return id, nil
}
