package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// answers is a homeserver that answers a sync as it is told.
type answers func(since string, m matrix.Measure) (*matrix.Batch, error)

func (a answers) Sync(_ context.Context, since string, _ time.Duration, m matrix.Measure) (*matrix.Batch, error) {
	return a(since, m)
}

func (answers) JoinedRooms(context.Context) ([]string, error) { return []string{lane1, foreign}, nil }

// R7: if one event of each room is still more than we take, rooms that are not ours are left out, and the bot is to leave them.
func TestWithoutRoomsThatAreNotOurs(t *testing.T) {
	eachDesk(t, func(d *desk) {
		var without []string
		d.sync.HS = answers(func(since string, m matrix.Measure) (*matrix.Batch, error) {
			if without = m.Without; len(without) == 0 {
				return nil, fmt.Errorf("sync: %w", matrix.ErrTooLarge)
			}
			return &matrix.Batch{Next: since + "+"}, nil
		})
		for tries := 0; ; tries++ {
			if err := d.sync.once(d.t.Context(), 0); err == nil {
				break
			} else if tries > 20 {
				d.t.Fatal(err)
			}
		}
		in := d.inputs()
		if !slices.Equal(without, []string{foreign}) || len(in) != 1 || in[0].Kind != store.InputCrowd || in[0].Room != foreign {
			d.t.Errorf("without %v; %+v", without, in)
		}
		if d.sync.measure.Limit != 0 || d.sync.measure.Without != nil {
			d.t.Errorf("a sync works, and still %+v", d.sync.measure)
		}
	})
}

// C4: an answer that is too large, or takes too long, is asked for with half as many events of each room, down to one; when it
// came through, with all again.
func TestLessOfWhatIsTooMuch(t *testing.T) {
	eachDesk(t, func(d *desk) {
		var limits []int
		d.sync.HS = answers(func(since string, m matrix.Measure) (*matrix.Batch, error) {
			limits = append(limits, m.Limit)
			if len(limits) <= 12 {
				return nil, fmt.Errorf("sync: %w", &matrix.Error{Status: 504})
			}
			return &matrix.Batch{Next: since + "+"}, nil
		})
		for range 14 {
			_ = d.sync.once(d.t.Context(), 0)
		}
		if got := fmt.Sprint(limits); got != "[0 500 250 125 62 31 15 7 3 1 1 1 1 0]" {
			d.t.Error(got)
		}
	})
}

// D15: a homeserver that answers at once without news is not asked again at once.
func TestIdle(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.sync.HS = answers(func(since string, _ matrix.Measure) (*matrix.Batch, error) { return &matrix.Batch{Next: since}, nil })
		if err := d.sync.once(d.t.Context(), longPoll); !errors.Is(err, errIdle) {
			d.t.Errorf("no pause: %v", err)
		}
		if err := d.sync.once(d.t.Context(), 0); err != nil {
			d.t.Errorf("the first look after a failure: %v", err)
		}
	})
}

// inputs are what was handed on since.
func (d *desk) inputs() (out []store.Input) {
	d.t.Helper()
	for _, j := range d.jobs(store.QueueIn) {
		var in store.Input
		if err := json.Unmarshal(j.payload, &in); err != nil {
			d.t.Fatal(err)
		}
		out = append(out, in)
	}
	d.taken()
	return out
}

// M9: what the first sync brings of what was said is history; what it says of rooms is not.
func TestFirstSyncIsHistory(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.tx(func(ctx context.Context) error { return d.s.SetMeta(ctx, metaSince, "") })
		d.hs.say(lane1, d.now)
		for len(d.hs.log)%5 != 0 {
			d.hs.say(lane1, d.now)
		}
		d.hs.say(lane1, d.now) // state
		d.once()
		for _, in := range d.inputs() {
			var e wireEvent
			if err := json.Unmarshal(in.Raw, &e); err != nil || in.Old != (e.StateKey == nil) {
				d.t.Errorf("%s: old %v, %v", in.Raw, in.Old, err)
			}
		}
	})
}

// D4: what the bot learned of a room is forgotten when it leaves; when it comes back, the room's state is news, what was said
// there is not.
func TestStateOfARoomComesAgain(t *testing.T) {
	eachDesk(t, func(d *desk) {
		event := func(id, typ, key string) json.RawMessage {
			if key != "-" {
				key = fmt.Sprintf(`"state_key":%q,`, key)
			} else {
				key = ""
			}
			return json.RawMessage(fmt.Sprintf(`{"event_id":%q,"type":%q,"sender":"@carl:x",%s"origin_server_ts":%d,"content":{}}`, id, typ, key, d.now.UnixMilli()))
		}
		visit, joined := 0, matrix.JoinedRoom{
			State:    []json.RawMessage{event("$create", "m.room.create", ""), event("$carl", "m.room.member", "@carl:x")},
			Timeline: []json.RawMessage{event("$said", "m.room.message", "-"), event("$bot", "m.room.member", "@bot:x")},
		}
		d.sync.HS = answers(func(string, matrix.Measure) (*matrix.Batch, error) {
			visit++
			return &matrix.Batch{Next: fmt.Sprint("visit", visit), Joined: map[string]matrix.JoinedRoom{"!direct": joined}}, nil
		})
		for i, want := range []int{5, 4} { // with InputCame
			d.once()
			if got := d.inputs(); len(got) != want {
				d.t.Errorf("visit %d brought %d events instead of %d", i+1, len(got), want)
			}
		}
	})
}
