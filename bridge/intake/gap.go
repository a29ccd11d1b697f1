package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// History is what filling a gap asks of Matrix; *matrix.Client in production.
type History interface {
	Since(ctx context.Context, room, since string, each func(page []json.RawMessage) error) (complete bool, err error)
	Page(ctx context.Context, room, from, to string, tries int) (events []json.RawMessage, next string, err error)
}

// Gaps reads what syncs left out and hands it on. A room whose gap cannot be read
// waits, with the other rooms of its order key; nobody else does. Where the reading
// stands is stored, so that it goes on there after a restart.
//
// While a key has a gap, everything that comes in under it is held back. When the
// last of its gaps is filled, all of that is handed on in one order (see merge).
type Gaps struct {
	HS     History
	Store  *store.Store
	Log    zerolog.Logger
	Events func(n int) // counts what came in

	// Exact says that pages leave nothing out (on Synapse); see matrix.Client.Since.
	Exact bool
}

// gapJob is a step on the way: the next page of a gap, or the next part of what is
// handed on of a key.
type gapJob struct {
	Gap int64  `json:"gap,omitempty"`
	Key string `json:"key,omitempty"`
}

func (j gapJob) item(key string) queue.Item {
	b, err := json.Marshal(j)
	if err != nil {
		panic(err) // a number and a string
	}
	return queue.Item{Queue: store.QueueGap, Key: key, Payload: b}
}

const (
	gapPauseMin = time.Second
	gapPauseMax = time.Minute
	// wholeTries is how often all of a gap is asked for at once before it is read page
	// by page, where that is more than the homeserver can give.
	wholeTries = 5
	// gapTold is after what time staff learns of a gap that cannot be read, gapLost when
	// it is given up: what was said by then is too old to be acted upon, and what is
	// said now shall be.
	gapTold = 10 * time.Minute
	gapLost = 24 * time.Hour
	// gapAgain is how soon something is handed on again that was set aside.
	gapAgain = 10 * time.Minute
)

// Do takes one step.
func (g *Gaps) Do(ctx context.Context, job queue.Job) queue.Result {
	var j gapJob
	if err := json.Unmarshal(job.Payload, &j); err != nil {
		return queue.Result{Park: "a gap that cannot be read", Err: err}
	}
	if j.Key != "" {
		return queue.Result{Commit: func(ctx context.Context) error { return g.release(ctx, j.Key) }}
	}
	gap, err := g.Store.Gap(ctx, j.Gap)
	if err != nil {
		return queue.Result{Retry: gapPauseMin, Keep: true, Err: err}
	}
	if gap == nil || gap.Filled {
		return queue.Result{}
	}
	next, page, err := g.read(ctx, gap, job.Attempts)
	if err != nil {
		return g.failed(ctx, job, gap, err)
	}
	return queue.Result{Commit: func(ctx context.Context) error { return g.advance(ctx, gap, next, page) }}
}

// read reads on: at first all at once, page by page where the homeserver does not
// give that. It gives a page and where the next one begins; "": there is none.
func (g *Gaps) read(ctx context.Context, gap *store.Gap, tries int) (next string, page []json.RawMessage, err error) {
	if gap.Position != "" {
		page, next, err = g.HS.Page(ctx, gap.Room, gap.Position, gap.Prev, tries)
		return next, page, err
	}
	if err := g.Store.DropHeld(ctx, gap); err != nil { // of a try that was cut off
		return "", nil, err
	}
	complete, err := g.HS.Since(ctx, gap.Room, gap.Since, func(page []json.RawMessage) error {
		return g.Store.Tx(ctx, func(ctx context.Context) error { return g.hold(ctx, gap, page) })
	})
	if err == nil && !complete || tries >= wholeTries && matrix.TooMuch(err) {
		next, err = gap.Since, g.Store.DropHeld(ctx, gap)
	}
	return next, nil, err
}

// advance stores a page and where the next one begins. When all are read, what was
// held back is handed on.
func (g *Gaps) advance(ctx context.Context, gap *store.Gap, next string, page []json.RawMessage) error {
	if err := g.hold(ctx, gap, page); err != nil {
		return err
	}
	if next != "" && gap.Position == "" && !g.Exact {
		if err := g.tell(ctx, gap, text.GapInParts); err != nil {
			return err
		}
	}
	now := *gap
	now.Position, now.Filled = next, next == ""
	if err := g.Store.SaveGap(ctx, &now); err != nil {
		return err
	}
	step := gapJob{Gap: gap.ID}.item(gap.Room)
	if now.Filled {
		step = gapJob{Key: gap.Key}.item(gap.Key)
	}
	_, err := g.Store.Queue.Put(ctx, step)
	return err
}

func (g *Gaps) hold(ctx context.Context, gap *store.Gap, page []json.RawMessage) error {
	rows := make([]store.Held, 0, len(page))
	for _, raw := range page {
		h, err := event(gap.Room, gap.Key, g.Store.Domain, raw).held(gap.ID, false)
		if err != nil {
			return err
		}
		rows = append(rows, h)
	}
	return g.Store.Hold(ctx, rows...)
}

// failed decides what becomes of a gap that could not be read just now.
func (g *Gaps) failed(ctx context.Context, job queue.Job, gap *store.Gap, err error) queue.Result {
	waited := g.Store.Now().Sub(gap.Noticed)
	if ctx.Err() == nil && (!matrix.Temporary(err) || waited > gapLost) {
		g.Log.Error().Err(err).Str("room", gap.Room).Msg("What a room said while we were away cannot be read; going on without it")
		return queue.Result{Commit: func(ctx context.Context) error {
			if err := g.tell(ctx, gap, text.GapLost); err != nil {
				return err
			}
			return g.advance(ctx, gap, "", nil)
		}}
	}
	if waited > gapTold && !gap.Told {
		if err := g.Store.Tx(ctx, func(ctx context.Context) error {
			told := *gap
			told.Told = true
			if err := g.Store.SaveGap(ctx, &told); err != nil {
				return err
			}
			return g.tell(ctx, gap, text.GapWaits)
		}); err != nil {
			g.Log.Warn().Err(err).Msg("Staff could not be told of a gap")
		}
	}
	return queue.Result{Retry: min(gapPauseMin<<min(job.Attempts, 10), gapPauseMax), Err: fmt.Errorf("gap of %s: %w", gap.Room, err)}
}

// Parked runs in the transaction that sets a step aside, as it failed again and again.
// A key that waited for it would wait for ever: a gap is given up, and handing on is
// tried again later.
func (g *Gaps) Parked(ctx context.Context, job queue.Job) error {
	var j gapJob
	if err := json.Unmarshal(job.Payload, &j); err != nil {
		return nil // it is of no gap
	}
	if j.Key != "" {
		again := j.item(j.Key)
		again.At = g.Store.Now().Add(gapAgain)
		_, err := g.Store.Queue.Put(ctx, again)
		return err
	}
	gap, err := g.Store.Gap(ctx, j.Gap)
	if gap == nil || err != nil || gap.Filled {
		return err
	}
	if err := g.tell(ctx, gap, text.GapLost); err != nil {
		return err
	}
	return g.advance(ctx, gap, "", nil)
}

// tell tells staff of a gap, where that is one of a room where people work.
func (g *Gaps) tell(ctx context.Context, gap *store.Gap, words func(where string, since time.Time) text.Words) error {
	room, err := g.Store.RoomByID(ctx, gap.Room)
	if err != nil || room == nil {
		return err
	}
	where := "a direct chat"
	switch {
	case room.Kind == store.SuperAdmin:
		where = "this room"
	case room.Project != "":
		p, err := g.Store.Project(ctx, room.Project)
		if err != nil || p == nil {
			return err
		}
		where = "lane " + room.Kind + " of " + p.Name
	}
	return g.Store.Do(ctx, effect.Effect{Message: &effect.Message{
		To: effect.Place{SuperAdmin: true}, Content: words(where, gap.Noticed).Notice(),
	}})
}

// releaseChunk is how much of each room is looked at in one step.
const releaseChunk = 200

// release hands on a part of what was held back of a key, in the transaction of ctx.
func (g *Gaps) release(ctx context.Context, key string) error {
	if unread, err := g.Store.GapUnread(ctx, key); unread || err != nil {
		return err // whoever reads that one comes back here
	}
	names, err := g.Store.HeldRooms(ctx, key)
	if err != nil {
		return err
	}
	rooms, more, seqs := make([][]arrival, len(names)), make([]bool, len(names)), make([][]int64, len(names))
	for i, name := range names {
		held, err := g.Store.HeldIn(ctx, key, name, releaseChunk)
		if err != nil {
			return err
		}
		for _, h := range held {
			a, err := unhold(h)
			if err != nil {
				return err
			}
			rooms[i], seqs[i] = append(rooms[i], a), append(seqs[i], h.Seq)
		}
		more[i] = len(held) == releaseChunk
	}
	out, taken := mergeUntil(rooms, more, g.Store.Now())
	fresh, err := keep(ctx, g.Store, out)
	if err != nil {
		return err
	}
	queue.AfterCommit(ctx, g.Store.DB, func() { g.Events(fresh) })
	var done []int64
	left := false
	for i, n := range taken {
		done = append(done, seqs[i][:n]...)
		left = left || more[i] || n < len(seqs[i])
	}
	if err := g.Store.Release(ctx, done); err != nil {
		return err
	}
	if !left {
		return g.Store.DeleteGaps(ctx, key)
	}
	_, err = g.Store.Queue.Put(ctx, gapJob{Key: key}.item(key))
	return err
}

// heldArrival is an arrival as it is stored while it is held back.
type heldArrival struct {
	At    int64       `json:"at,omitempty"` // Unix ms
	Local bool        `json:"local,omitempty"`
	Input store.Input `json:"input"`
}

func (a arrival) held(gap int64, behind bool) (store.Held, error) {
	w := heldArrival{Local: a.local, Input: a.input}
	if !a.at.IsZero() {
		w.At = a.at.UnixMilli()
	}
	b, err := json.Marshal(w)
	if err != nil {
		return store.Held{}, fmt.Errorf("intake: %w", err)
	}
	return store.Held{Key: a.key, Room: a.input.Room, Gap: gap, Behind: behind, ID: a.id, Arrival: b}, nil
}

func unhold(h store.Held) (arrival, error) {
	var w heldArrival
	if err := json.Unmarshal(h.Arrival, &w); err != nil {
		return arrival{}, fmt.Errorf("intake: %w", err)
	}
	a := arrival{id: h.ID, key: h.Key, local: w.Local, input: w.Input}
	if w.At != 0 {
		a.at = time.UnixMilli(w.At)
	}
	return a, nil
}
