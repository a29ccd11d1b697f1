package bridge

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/reconcile"
	"lanekeeper/bridge/store"
	"lanekeeper/config"
)

// Plan names what apply would change, in one project (by its slug) or, with "",
// in all and the super-admin room. It reads Matrix, or with cached what events
// told us, and writes nothing: it works beside a running Lanekeeper.
func Plan(ctx context.Context, cfg *config.Config, slug string, cached bool, log zerolog.Logger) ([]reconcile.Step, error) {
	db, err := store.Look(ctx, cfg.Database.Type, cfg.Database.URI, log)
	if err != nil {
		return nil, exit(ExitDatabase, "%s", DatabaseSentence(cfg, err))
	}
	defer db.Close()
	s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, log), Domain: cfg.Homeserver.Domain, NewID: newID, Now: time.Now}
	hs, err := matrix.New(MatrixConfig(cfg), log)
	if err != nil {
		return nil, exit(ExitHomeserver, "%v", err)
	}
	if !cached {
		if _, err := hs.Probe(ctx); err != nil {
			return nil, exit(ExitHomeserver, "Cannot ask the homeserver %s: %v. `--cached` plans by what Lanekeeper was told last.", cfg.Homeserver.Address, err)
		}
	}
	var only []*project.Project
	if slug != "" {
		p, err := s.ProjectBySlug(ctx, slug)
		if err != nil {
			return nil, exit(ExitDatabase, "%s", DatabaseSentence(cfg, err))
		}
		if p == nil {
			return nil, exit(1, "There is no project %q.", slug)
		}
		only = append(only, p)
	}
	rooms := &reconcile.Reconciler{Store: s, HS: hs, Policy: cfg.Policy(), Log: log, Version: cfg.Rooms.Version, SuperAdmin: cfg.Rooms.SuperAdmin}
	return rooms.Plan(ctx, only, !cached)
}
