package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// Homeserver is what the sync asks of Matrix; *matrix.Client in production.
type Homeserver interface {
	Sync(ctx context.Context, since string, timeout time.Duration) (*matrix.Batch, error)
	Between(ctx context.Context, room, since, prev string, each func([]json.RawMessage) error) error
}

// metaSince is where the token of the last stored batch stands.
const metaSince = "since"

// Sync reads the bot's own /sync: one ordered stream that survives restarts of
// both sides, since its token is stored together with the events it brought.
type Sync struct {
	HS     Homeserver
	Store  *store.Store
	Log    zerolog.Logger
	Events func(n int)   // counts what came in
	Alive  func(ok bool) // told after each try whether the homeserver answered

	wake chan struct{}
}

// NewSync makes a Sync.
func NewSync(hs Homeserver, s *store.Store, log zerolog.Logger) *Sync {
	return &Sync{HS: hs, Store: s, Log: log, Events: func(int) {}, Alive: func(bool) {}, wake: make(chan struct{}, 1)}
}

// Wake ends a pause after a failure: the homeserver is heard again.
func (s *Sync) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// longPoll is how long the homeserver may hold a sync that has no news.
const longPoll = 30 * time.Second

// Run reads until ctx ends. A failure is waited out: 0.25 s, doubled each time,
// at most 10 s, cut short by Wake. The first sync, and the first after a failure,
// is answered at once: until then nobody knows that it works.
func (s *Sync) Run(ctx context.Context) error {
	pause, wait := time.Duration(0), time.Duration(0)
	for {
		err := s.once(ctx, wait)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Alive(err == nil)
		if err == nil {
			if pause > 0 {
				s.Log.Info().Msg("Sync works again")
			}
			pause, wait = 0, longPoll
			continue
		}
		if pause == 0 {
			s.Log.Warn().Err(err).Msg("Sync failed; trying again until it works")
		}
		pause, wait = min(max(2*pause, 250*time.Millisecond), 10*time.Second), 0
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// once asks for one batch and stores it. The homeserver may wait that long for news.
func (s *Sync) once(ctx context.Context, wait time.Duration) error {
	since, err := s.Store.Meta(ctx, metaSince)
	if err != nil {
		return err
	}
	batch, err := s.HS.Sync(ctx, since, wait)
	if err != nil {
		return err
	}
	rooms := slices.Collect(maps.Keys(batch.Joined))
	rooms = slices.AppendSeq(slices.AppendSeq(rooms, maps.Keys(batch.Invited)), maps.Keys(batch.Left))
	ours, err := s.Store.RoomsByID(ctx, rooms)
	if err != nil {
		return err
	}
	for id, room := range batch.Joined {
		if room.Limited && since != "" && ours[id] != nil {
			if err := s.fill(ctx, id, ours[id], since, room.Prev); err != nil {
				return err
			}
		}
	}
	arrivals := arrivalsOf(batch, ours)
	if len(arrivals) == 0 && batch.Next == since {
		return nil
	}
	fresh := 0
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		if fresh, err = keep(ctx, s.Store, arrivals); err != nil {
			return err
		}
		return s.Store.SetMeta(ctx, metaSince, batch.Next)
	})
	s.Events(fresh)
	return err
}

// fill stores what a limited timeline left out, page by page. The token stays
// until all of it is stored: a crash repeats the fill, and what was stored is
// recognised.
func (s *Sync) fill(ctx context.Context, id string, room *store.Room, since, prev string) error {
	err := s.HS.Between(ctx, id, since, prev, func(page []json.RawMessage) error {
		return s.Store.Tx(ctx, func(ctx context.Context) error {
			n, err := keep(ctx, s.Store, events(nil, id, store.InputKey(room, id), page))
			s.Events(n)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("sync: gap: %w", err)
	}
	return nil
}

// arrivalsOf lists what a batch brought: rooms in a fixed order, each with its
// state before its timeline.
func arrivalsOf(b *matrix.Batch, ours map[string]*store.Room) []arrival {
	var out []arrival
	for _, id := range slices.Sorted(maps.Keys(b.Joined)) {
		room := b.Joined[id]
		key := store.InputKey(ours[id], id)
		out = events(out, id, key, room.State)
		out = events(out, id, key, room.Timeline)
	}
	for _, id := range slices.Sorted(maps.Keys(b.Invited)) {
		raw, err := json.Marshal(b.Invited[id])
		if err != nil {
			continue
		}
		// The same invitation comes with the same state; a new one has another member event.
		out = append(out, arrival{id: "invite:" + b.Next + ":" + id, key: store.InputKey(ours[id], id), input: store.Input{Kind: store.InputInvite, Room: id, Raw: raw}})
	}
	for _, id := range slices.Sorted(maps.Keys(b.Left)) {
		key := store.InputKey(ours[id], id)
		out = events(out, id, key, b.Left[id].State)
		out = events(out, id, key, b.Left[id].Timeline)
		out = append(out, arrival{id: "gone:" + b.Next + ":" + id, key: key, input: store.Input{Kind: store.InputGone, Room: id}})
	}
	return out
}

func events(out []arrival, room, key string, raws []json.RawMessage) []arrival {
	for _, raw := range raws {
		out = append(out, event(room, key, raw))
	}
	return out
}
