package intake

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// What came in is known for a month. What comes again later, when the bot comes
// back to a room, is marked; what happened while nobody was there is not. MSG-02
func TestForgetting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		now := start
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
		f := &Forgetting{Store: s, Log: zerolog.Nop(), Ready: func() bool { return true }}
		come := func(id string, at time.Time) (fresh, old bool) {
			t.Helper()
			a := event("!r", "room:!r", "x", json.RawMessage(fmt.Sprintf(`{"event_id":%q,"origin_server_ts":%d}`, id, at.UnixMilli())))
			arrivals := []arrival{a}
			n, err := keep(t.Context(), s, arrivals)
			if err != nil {
				t.Fatal(err)
			}
			return n == 1, arrivals[0].input.Old
		}
		forget := func() {
			t.Helper()
			if err := f.once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, fresh, old, wantFresh, wantOld bool) {
			t.Helper()
			if fresh != wantFresh || old != wantOld {
				t.Errorf("%s: fresh %v, old %v", what, fresh, old)
			}
		}
		is := func(what, id string, at time.Time, wantFresh, wantOld bool) {
			t.Helper()
			fresh, old := come(id, at)
			want(what, fresh, old, wantFresh, wantOld)
		}
		is("first", "$1", start, true, false)
		now = start.Add(40 * 24 * time.Hour)
		is("after a long time away", "$2", start.Add(time.Hour), true, false)
		forget() // announces
		is("again, announced", "$1", start, false, true)
		now = now.Add(24 * time.Hour)
		forget() // deletes $1; $2 came in yesterday
		is("again, forgotten", "$1", start, true, true)
		is("again, known", "$2", start.Add(time.Hour), false, true)
		is("late, but within the month", "$3", now.Add(-20*24*time.Hour), true, false)
		is("now", "$4", now, true, false)
	})
}

// D18: what a clock that was ahead for a while wanted forgotten is kept for its month.
func TestForgettingWhenTheClockWasAhead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		now := start
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
		f := &Forgetting{Store: s, Log: zerolog.Nop(), Ready: func() bool { return true }}
		if _, err := s.See(t.Context(), "$1"); err != nil {
			t.Fatal(err)
		}
		for _, after := range []time.Duration{365 * 24 * time.Hour, time.Hour, 25 * time.Hour} {
			now = start.Add(after)
			if err := f.once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if fresh, err := s.See(t.Context(), "$1"); err != nil || fresh {
			t.Errorf("forgotten after a day: %v %v", fresh, err)
		}
		if until, err := s.Forgotten(t.Context()); err != nil || until.After(now) {
			t.Errorf("what happens now counts as old: %v %v", until, err)
		}
	})
}
