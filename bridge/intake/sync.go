package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// Homeserver is what the sync asks of Matrix; *matrix.Client in production.
type Homeserver interface {
	Sync(ctx context.Context, since string, wait time.Duration, m matrix.Measure) (*matrix.Batch, error)
	JoinedRooms(ctx context.Context) ([]string, error)
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

	wake    chan struct{}
	measure matrix.Measure
	gaps    bool // there may be some
}

// NewSync makes a Sync.
func NewSync(hs Homeserver, s *store.Store, log zerolog.Logger) *Sync {
	return &Sync{HS: hs, Store: s, Log: log, Events: func(int) {}, Alive: func(bool) {}, wake: make(chan struct{}, 1), gaps: true}
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

// errIdle is a homeserver that answers at once though it has no news: it would be
// asked again and again without pause.
var errIdle = errors.New("the homeserver does not wait for news")

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
		idle := errors.Is(err, errIdle)
		s.Alive(err == nil || idle)
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
		pause = min(max(2*pause, 250*time.Millisecond), 10*time.Second)
		if !idle {
			wait = 0
		}
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
	began := time.Now()
	batch, err := s.HS.Sync(ctx, since, wait, s.measure)
	if err != nil {
		if matrix.TooMuch(err) {
			return errors.Join(err, s.less(ctx, err, since))
		}
		return err
	}
	s.measure = matrix.Measure{}
	ours, err := s.Store.RoomsByID(ctx, batch.Rooms())
	if err != nil {
		return err
	}
	in := newIncoming(batch, since, ours, s.Store.Domain)
	if len(in.rooms) == 0 && batch.Next == since {
		if wait > 0 && time.Since(began) < wait/10 {
			return errIdle
		}
		return nil
	}
	return s.keep(ctx, in, batch.Next)
}

// less asks for less the next time: what an answer leaves out is read room by room.
// If one event of each room is still too large an answer, rooms that are not ours are
// left out of it; those where the bot has no business it leaves.
func (s *Sync) less(ctx context.Context, reason error, since string) error {
	limit := cmp.Or(s.measure.Limit, matrix.Timeline)
	if s.measure.Limit = max(1, limit/2); limit > 1 || !errors.Is(reason, matrix.ErrTooLarge) || len(s.measure.Without) > 0 {
		return nil
	}
	rooms, err := s.HS.JoinedRooms(ctx)
	if err != nil {
		return err
	}
	ours, err := s.Store.RoomsByID(ctx, rooms)
	if err != nil {
		return err
	}
	var notes []arrival
	for _, id := range rooms {
		if ours[id] == nil {
			p := parser{room: id, key: store.InputKey(nil, id), join: since}
			s.measure.Without, notes = append(s.measure.Without, id), append(notes, p.note(store.InputCrowd))
		}
	}
	s.Log.Warn().Int("rooms", len(notes)).Msg("The answer to a sync is too large; leaving out the rooms that are not ours")
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		_, err := keep(ctx, s.Store, notes)
		return err
	})
}

// keep stores what came in, with the token of the next sync. Where something is
// missing, or still is from before, it is held back until that is read.
func (s *Sync) keep(ctx context.Context, in incoming, next string) error {
	var fresh int
	var gaps bool
	err := s.Store.Tx(ctx, func(ctx context.Context) (err error) {
		fresh, gaps = 0, s.gaps || len(in.gaps) > 0
		held := map[string]int64{}
		if gaps {
			if held, err = s.hold(ctx, in); err != nil {
				return err
			}
			if gaps, err = s.Store.AnyGap(ctx); err != nil {
				return err
			}
		}
		var free []arrival
		for _, key := range slices.Sorted(maps.Keys(in.rooms)) {
			if held[key] == 0 {
				free = append(free, merge(in.rooms[key], s.Store.Now())...)
			}
		}
		if fresh, err = keep(ctx, s.Store, free); err != nil {
			return err
		}
		return s.Store.SetMeta(ctx, metaSince, next)
	})
	if err == nil {
		s.gaps = gaps
		s.Events(fresh)
	}
	return err
}

// hold notes the gaps of a batch and keeps back what came behind these and older
// ones. It gives the keys of what is held back.
func (s *Sync) hold(ctx context.Context, in incoming) (map[string]int64, error) {
	held, err := s.Store.Gaps(ctx, slices.Sorted(maps.Keys(in.rooms)))
	if err != nil {
		return nil, err
	}
	var jobs []queue.Item
	for _, g := range in.gaps {
		id, err := s.Store.AddGap(ctx, g.Key, g.Room, g.Since, g.Prev)
		if err != nil {
			return nil, err
		}
		held[g.Key] = id
		jobs = append(jobs, gapJob{Gap: id}.item(g.Room))
	}
	if _, err := s.Store.Queue.Put(ctx, jobs...); err != nil {
		return nil, err
	}
	var rows []store.Held
	for key, gap := range held {
		for _, room := range in.rooms[key] {
			for _, a := range room {
				h, err := a.held(gap, true)
				if err != nil {
					return nil, err
				}
				rows = append(rows, h)
			}
		}
	}
	return held, s.Store.Hold(ctx, rows...)
}

// incoming is what a batch brought, by order key and room.
type incoming struct {
	rooms map[string][][]arrival
	gaps  []store.Gap
}

// newIncoming sorts out a batch: rooms in a fixed order, each with its state before
// its timeline. ours are those of its rooms that are ours: only there it matters
// what was left out.
func newIncoming(b *matrix.Batch, since string, ours map[string]*store.Room, domain string) incoming {
	in := incoming{rooms: map[string][][]arrival{}}
	add := func(room string, all []arrival) {
		if len(all) > 0 {
			in.rooms[all[0].key] = append(in.rooms[all[0].key], all)
		}
	}
	gap := func(room string, limited bool, prev string) {
		if limited && since != "" && ours[room] != nil { // the first sync is no news
			in.gaps = append(in.gaps, store.Gap{Key: store.InputKey(ours[room], room), Room: room, Since: since, Prev: prev})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.Joined)) {
		room := b.Joined[id]
		gap(id, room.Limited, room.Prev)
		p := parser{room: id, key: store.InputKey(ours[id], id), domain: domain}
		if since == "" {
			p.history = true
		} else if created(room.State) || created(room.Timeline) {
			p.join = b.Next
		}
		all := append(p.events(room.State), p.events(room.Timeline)...)
		switch {
		case p.join == "":
		case ours[id] == nil && crowded(room.State):
			all = []arrival{p.note(store.InputCrowd)}
		default:
			all = append(all, p.note(store.InputCame))
		}
		add(id, all)
	}
	for _, id := range slices.Sorted(maps.Keys(b.Invited)) {
		raw, err := json.Marshal(b.Invited[id])
		if err != nil {
			continue
		}
		// The same invitation comes with the same state; a new one has another member event.
		add(id, []arrival{{id: "invite:" + b.Next + ":" + id, key: store.InputKey(ours[id], id), input: store.Input{Kind: store.InputInvite, Room: id, Raw: raw}}})
	}
	for _, id := range slices.Sorted(maps.Keys(b.Left)) {
		room := b.Left[id]
		gap(id, room.Limited, room.Prev)
		p := parser{room: id, key: store.InputKey(ours[id], id), domain: domain}
		all := append(p.events(room.State), p.events(room.Timeline)...)
		add(id, append(all, arrival{id: "gone:" + b.Next + ":" + id, key: p.key, input: store.Input{Kind: store.InputGone, Room: id}}))
	}
	return in
}

// parser makes arrivals of the events of one room.
type parser struct {
	room, key, domain string
	history           bool   // what was said is no news
	join              string // the bot has just come in, by the batch of this name
}

// created reports whether a room's create event is there: the bot has just come in.
func created(raws []json.RawMessage) bool {
	return slices.ContainsFunc(raws, func(raw json.RawMessage) bool {
		var e wireEvent
		return json.Unmarshal(raw, &e) == nil && e.Type == "m.room.create" && e.StateKey != nil && *e.StateKey == ""
	})
}

// crowd is how many people a room that is not ours may have that is looked at.
const crowd = 50

// crowded reports whether a room's state tells of so many people that it is no
// direct chat, whoever they are.
func crowded(state []json.RawMessage) bool {
	n := 0
	for _, raw := range state {
		var e wireEvent
		if json.Unmarshal(raw, &e) == nil && e.Type == "m.room.member" {
			n++
		}
	}
	return n >= crowd
}

// note is an arrival that says something of the bot itself.
func (p parser) note(kind string) arrival {
	return arrival{id: kind + ":" + p.join + ":" + p.room, key: p.key, input: store.Input{Kind: kind, Room: p.room}}
}

func (p parser) events(raws []json.RawMessage) []arrival {
	out := make([]arrival, 0, len(raws))
	for _, raw := range raws {
		a, e := read(p.room, p.key, p.domain, raw)
		state := e.StateKey != nil
		a.input.Old = p.history && !state
		if p.join != "" && state {
			// The bot may have been here before and have forgotten since what the room is
			// like: its state is news, however often it came.
			a.id, a.at, a.input.Fresh = "join:"+p.join+":"+a.id, time.Time{}, true
		}
		out = append(out, a)
	}
	return out
}
