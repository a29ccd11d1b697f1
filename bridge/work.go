package bridge

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/intake"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Workers of each queue: how much happens at the same time, never more than one
// thing for one key.
const (
	handlers    = 8
	senders     = 8
	reconcilers = 4
	phones      = 4
	readers     = 3 // of gaps
	carriers    = 3 // of files
)

// listEvery is how often Twilio is asked for what it could not deliver to us.
const listEvery = 3 * time.Minute

// work runs every stage until ctx ends.
func (b *Bridge) work(ctx context.Context) error {
	defer b.outbox.Away.Wait()
	group, ctx := errgroup.WithContext(ctx)
	run := func(name string, workers int, do func(context.Context, queue.Job) queue.Result) {
		group.Go(func() error { return b.store.Queue.Run(ctx, name, workers, do) })
	}
	group.Go(func() error { return b.sync.Run(ctx) })
	keep := b.cfg.Retention
	forgetting := &intake.Forgetting{
		Store: b.store, Log: b.log, Ready: b.health.caughtUp, Bot: b.hs.Bot(),
		Keep: store.Retention{Messages: keep.Messages, Handoffs: keep.Handoffs, Parked: keep.Parked},
	}
	group.Go(func() error { return forgetting.Run(ctx) })
	run(store.QueueGap, readers, b.gaps.Do)
	run(store.QueueIn, handlers, b.handler.Do)
	group.Go(func() error { return b.databaseError(ctx, b.rooms.Run(ctx, reconcilers)) })
	run(store.QueueMatrix, senders, b.outbox.Do)
	if b.whatsapp != nil {
		run(store.QueueWhatsApp, phones, b.whatsapp.Do)
		run(store.QueueFile, carriers, b.carrier.Do)
		group.Go(func() error { return b.listing.Run(ctx) })
		group.Go(func() error { return b.outcomes.Run(ctx) })
	}
	b.log.Info().Str("version", b.version).Str("homeserver", b.caps.Software).Msg("Lanekeeper is up")
	return group.Wait()
}

// parkedEvery is how often staff is told at most that something was set aside: many
// things that are set aside have one reason, and the log has all of them.
const parkedEvery = 10 * time.Minute

// parked says in the super-admin room that something was set aside, and answers the
// command if it was one.
func (b *Bridge) parked(ctx context.Context, job queue.Job, reason string) error {
	if job.Queue == store.QueueIn && b.handler != nil {
		if err := b.handler.Parked(ctx, job); err != nil {
			return err
		}
	}
	if job.Queue == store.QueueGap && b.gaps != nil {
		if err := b.gaps.Parked(ctx, job); err != nil {
			return err
		}
	}
	if job.Queue == store.QueueWhatsApp && b.phones != nil {
		if err := b.phones.Parked(ctx, job.Key); err != nil {
			return err
		}
	}
	if told, err := b.store.Lately(ctx, "parked", parkedEvery); told || err != nil {
		return err
	}
	return b.store.Do(ctx, effect.Effect{Message: &effect.Message{
		To: effect.Place{SuperAdmin: true}, Content: text.Parked(job.ID, job.Queue, reason).Notice(),
	}})
}
