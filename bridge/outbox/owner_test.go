package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/whatsapp"
)

// counting is Twilio; it takes everything.
type counting struct{ sent int }

func (c *counting) Send(context.Context, whatsapp.Message) (sid, status string, err error) {
	c.sent++
	return "SM1", "queued", nil
}

func (c *counting) Find(context.Context, string, time.Time, func(whatsapp.Sent) bool) (*whatsapp.Sent, error) {
	return nil, nil
}

// D2: an owner that another process has replaced sends nothing to Twilio, even if it
// has decided to before: the request has to be written down first.
func TestFormerOwnerSendsNothing(t *testing.T) {
	const dana = "+4915112345678"
	uri := storetest.Postgres(t)
	open := func() *store.Store {
		db := storetest.Open(t, store.Postgres, uri)
		epoch, err := store.TakeOver(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		q := queue.New(db, queue.System{}, zerolog.Nop())
		q.Fence(store.Fence(db, epoch))
		return &store.Store{DB: db, Queue: q, Domain: "lanes.test", Now: time.Now, NewID: func() string { return "id" }}
	}
	job := func() queue.Job {
		b, err := json.Marshal(effect.Effect{WhatsApp: &effect.WhatsApp{To: dana}})
		if err != nil {
			t.Fatal(err)
		}
		return queue.Job{Queue: store.QueueWhatsApp, Key: dana, Payload: b}
	}()
	twilio := &counting{}
	sender := func(s *store.Store, now func() time.Time) *outbox.WhatsApp {
		r := &relay.Relay{
			Store: s, WhatsApp: true, Agents: []handoff.Agent{{Phone: dana, Name: "Dana"}},
			Staff: func() []string { return nil }, May: func(string) bool { return false },
		}
		return &outbox.WhatsApp{Store: s, Phones: &phone.Queue{Store: s, Relay: r}, Twilio: twilio, Log: zerolog.Nop(), Pace: whatsapp.NewPace(10, time.Second, now)}
	}

	old := open()
	if err := old.SavePhone(t.Context(), &store.Phone{Number: dana, Inbound: time.Now()}); err != nil {
		t.Fatal(err)
	}
	line := &store.Line{Line: handoff.Line{Kind: handoff.LineTold, Head: "Hello.", To: []string{dana}}}
	if err := old.Tx(t.Context(), func(ctx context.Context) error {
		if err := old.AddLine(ctx, line); err != nil {
			return err
		}
		return old.AddSend(ctx, line.ID, dana)
	}); err != nil {
		t.Fatal(err)
	}
	var next *store.Store
	r := sender(old, func() time.Time { // asked between the decision and the request
		if next == nil {
			next = open()
		}
		return time.Now()
	}).Do(t.Context(), job)
	if twilio.sent != 0 || !errors.Is(r.Err, queue.ErrFenced) {
		t.Errorf("%d sent, %+v", twilio.sent, r)
	}
	if next == nil {
		t.Fatalf("nothing was tried: %+v", r)
	}
	if r := sender(next, time.Now).Do(t.Context(), job); twilio.sent != 1 || r.Err != nil {
		t.Errorf("the next owner: %d sent, %+v", twilio.sent, r)
	}
}
