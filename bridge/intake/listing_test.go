package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/whatsapp"
)

// account answers a look with what is in it, when it may.
type account struct {
	asked chan struct{} // somebody looks
	next  chan error    // nil: the list
	all   []whatsapp.Inbound
}

func (a *account) Missed(ctx context.Context, _, _ time.Time) ([]whatsapp.Inbound, error) {
	select {
	case a.asked <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case err := <-a.next:
		return a.all, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func inbound(sid string, sent time.Time) whatsapp.Inbound {
	return whatsapp.Inbound{MessageSID: sid, From: "+4915100000001", Body: sid, Sent: sent}
}

// stored are the MessageSids of what was stored, in order.
func stored(t *testing.T, s *store.Store) (sids []string) {
	t.Helper()
	rows, err := s.DB.Query(t.Context(), "SELECT payload FROM job ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var payload []byte
		var in store.Input
		var m whatsapp.Inbound
		if err := errors.Join(rows.Scan(&payload), json.Unmarshal(payload, &in), json.Unmarshal(in.Raw, &m)); err != nil {
			t.Fatal(err)
		}
		sids = append(sids, m.MessageSID)
	}
	return sids
}

// MSG-02: what was missed is stored before what comes now, at the start and after a webhook that was refused.
func TestListing(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	db := storetest.Open(t, store.SQLite, storetest.SQLite(t))
	s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
	twilio := &account{asked: make(chan struct{}), next: make(chan error)}
	l := NewListing(nil, s, zerolog.Nop(), time.Hour)
	l.Twilio = twilio
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.Run(ctx) }()
	take, came := Inbound(l), make(chan error)
	look := func(err error, all ...whatsapp.Inbound) {
		<-twilio.asked
		twilio.all = all
		twilio.next <- err
	}
	webhook := func(sid string) { go func() { came <- take(t.Context(), inbound(sid, time.Time{})) }() }

	// Away: two were missed, the third one waits for a look that works.
	webhook("SM3")
	look(errors.New("no answer"))
	look(nil, inbound("SM1", now.Add(-time.Hour)), inbound("SM2", now.Add(-time.Second)), inbound("SM3", now.Add(time.Second)))
	if err := <-came; err != nil {
		t.Fatal(err)
	}
	// Nothing is missing: no look is needed.
	webhook("SM4")
	if err := <-came; err != nil {
		t.Fatal(err)
	}
	// The database is away for a moment.
	broken, fix := context.WithCancel(t.Context())
	fix()
	if err := take(broken, inbound("SM5", time.Time{})); err == nil {
		t.Fatal("stored without a database")
	}
	webhook("SM6")
	look(nil, inbound("SM5", now.Add(2*time.Second)), inbound("SM6", now.Add(3*time.Second)))
	if err := <-came; err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s); !slices.Equal(got, []string{"SM1", "SM2", "SM3", "SM4", "SM5", "SM6"}) {
		t.Errorf("stored %q", got)
	}
	cancel()
	<-ended
}

// history is an account whose every request can fail.
type history struct {
	all   []whatsapp.Inbound
	fails int // the request that fails, from 1
	asked int
}

func (h *history) Missed(_ context.Context, since, until time.Time) (found []whatsapp.Inbound, err error) {
	if h.asked++; h.asked == h.fails {
		return nil, errors.New("no answer")
	}
	for _, in := range h.all {
		if !in.Sent.Before(since) && (until.IsZero() || !in.Sent.After(until)) {
			found = append(found, in)
		}
	}
	return found, nil
}

// M2: after days away everything is listed, part by part; what was seen completely is not read again, and what was not is.
func TestListingAfterDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
		l, twilio := NewListing(nil, s, zerolog.Nop(), time.Hour), &history{fails: 5}
		l.Twilio = twilio
		if err := l.once(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 1300 {
			in := inbound(fmt.Sprintf("SM%04d", i), now.Add(time.Duration(i)*2*time.Minute))
			twilio.all, want = append(twilio.all, in), append(want, in.MessageSID)
		}
		now = now.Add(48 * time.Hour)
		if err := l.once(t.Context(), now); err == nil {
			t.Fatal("the answer that was missing did not matter")
		}
		if err := l.once(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if got := stored(t, s); !slices.Equal(got, want) {
			t.Errorf("%d of %d stored", len(got), len(want))
		}
		if twilio.asked > 11 {
			t.Errorf("%d requests", twilio.asked)
		}
	})
}

// D18: a clock that was ahead, or behind for a while, loses no message; none of which the ids are forgotten comes
// again, and no look lists years.
func TestListingWhenTheClockWasSet(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		right := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		now := right.Add(10 * 24 * time.Hour) // too early
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
		l, twilio := NewListing(nil, s, zerolog.Nop(), time.Hour), &history{}
		l.Twilio = twilio
		look := func(want ...string) {
			t.Helper()
			twilio.asked = 0
			if err := l.once(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			if got := stored(t, s); !slices.Equal(got, want) || twilio.asked > 150 {
				t.Errorf("stored %q, not %q, in %d requests", got, want, twilio.asked)
			}
		}
		look()
		twilio.all = append(twilio.all, inbound("old", right.Add(-100*24*time.Hour)), inbound("SM1", right.Add(3*time.Hour)))
		now = right.Add(6 * time.Hour) // after a restart, with the clock set right
		if err := s.WillForget(t.Context(), now.Add(-store.SeenFor)); err != nil {
			t.Fatal(err)
		}
		look("SM1")
		now = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		look("SM1")
		now = right.Add(7 * time.Hour)
		twilio.all = append(twilio.all, inbound("SM2", now.Add(-time.Minute)))
		look("SM1", "SM2")
	})
}

// R13: a replay under the same signature counts as what it was, whatever id it shows.
func TestReplayBySignature(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: time.Now}
		for _, in := range []whatsapp.Inbound{
			{MessageSID: "SM1", From: "+4915100000001", Body: "yes", Quoted: "SM7", Signature: "one"},
			{MessageSID: "SM2", From: "+4915100000001", Body: "yes", Signature: "one"},
			{MessageSID: "SM1", From: "+4915100000001", Body: "yes", Signature: "one"},
			{MessageSID: "SM3", From: "+4915100000001", Body: "no", Signature: "two"},
		} {
			if err := keepInbound(t.Context(), s, in); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := db.QueryRow(t.Context(), "SELECT COUNT(*) FROM job").Scan(&n); err != nil || n != 2 {
			t.Errorf("R13: %d inputs, %v", n, err)
		}
	})
}
