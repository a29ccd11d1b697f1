package intake

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/whatsapp"
)

// statuses are what Twilio answers, by message.
type statuses map[string]whatsapp.Status

func (s statuses) Fetch(_ context.Context, sid string) (whatsapp.Status, error) {
	if st, ok := s[sid]; ok {
		return st, nil
	}
	return whatsapp.Status{}, &whatsapp.Error{Class: whatsapp.Permanent, Message: "Twilio has no such message"}
}

// MSG-05, M7: that a message failed is learnt though no callback told, once, however
// long ago it was sent. One of which nothing is told at last is of unknown outcome.
func TestOutcomes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
		for sid, state := range map[string]string{"SM1": "accepted", "SM2": "delivered", "SM3": "sent", "SM4": "sent"} {
			p, err := s.AddTemplate(t.Context(), 1, "+4915100000001")
			if err == nil {
				p.SID, p.State = sid, state
				err = s.SavePart(t.Context(), p)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		o := &Outcomes{Store: s, Log: zerolog.Nop(), Twilio: statuses{
			"SM1": {MessageSID: "SM1", Status: "failed", ErrorCode: 63016}, "SM2": {MessageSID: "SM2", Status: "read"}, "SM3": {MessageSID: "SM3", Status: "sent"},
		}}
		inputs := func() (n int) {
			if err := db.QueryRow(t.Context(), "SELECT COUNT(*) FROM job").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, want := range []struct {
			after  time.Duration
			inputs int
		}{{time.Minute, 0}, {3 * time.Minute, 2}, {3 * time.Minute, 2}, {13 * time.Hour, 4}, {13 * time.Hour, 4}} {
			now = now.Add(want.after)
			if err := o.once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := inputs(); n != want.inputs || o.after != 0 {
				t.Errorf("%d inputs, want %d; goes on behind %d", n, want.inputs, o.after)
			}
		}
		for _, sid := range []string{"SM1", "SM3", "SM4"} { // nothing was handled meanwhile
			if fresh, err := s.See(t.Context(), sid+":unknown"); err != nil || fresh != (sid == "SM1") {
				t.Errorf("%s is of unknown outcome: %v %v", sid, !fresh, err)
			}
		}
	})
}

// down is Twilio of which one message gets no answer.
type down struct{ statuses }

func (d down) Fetch(ctx context.Context, sid string) (whatsapp.Status, error) {
	if sid == "SM1" {
		return whatsapp.Status{}, &whatsapp.Error{Class: whatsapp.Retry, Message: "500"}
	}
	return d.statuses.Fetch(ctx, sid)
}

// M7: a message that Twilio cannot be asked for keeps nobody from learning of the others.
func TestOutcomesBehindOneWithoutAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }}
		for _, sid := range []string{"SM1", "SM2"} {
			p, err := s.AddTemplate(t.Context(), 1, "+4915100000001")
			if err == nil {
				p.SID, p.State = sid, "sent"
				err = s.SavePart(t.Context(), p)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		o := &Outcomes{Store: s, Log: zerolog.Nop(), Twilio: down{statuses{"SM2": {MessageSID: "SM2", Status: "failed", ErrorCode: 63016}}}}
		now = now.Add(time.Hour)
		for range 2 {
			_ = o.once(t.Context())
		}
		if fresh, err := s.See(t.Context(), "SM2:failed"); err != nil || fresh {
			t.Errorf("nobody learns that the second one failed: %v", err)
		}
	})
}
