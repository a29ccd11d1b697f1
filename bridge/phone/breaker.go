package phone

import (
	"context"
	"time"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// ProbeEvery is how often one message is tried while Twilio refuses the account.
const ProbeEvery = 10 * time.Minute

// lateAccount names the alarm that Twilio refuses the account.
const lateAccount = "twilio account"

// Broke notes that Twilio refuses the account, in the answer to a request or, if told, in
// a callback: everything waits, and staff are alerted, once until it works again.
func (q *Queue) Broke(ctx context.Context, failure *whatsapp.Error, told bool) error {
	queue.AfterCommit(ctx, q.Store.DB, func() { q.Breaker.Break(told) })
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return err
	}
	return q.Store.Alarm(ctx, lateAccount, text.TwilioBrokenForStaff(failure.Sentence(), ProbeEvery), desk.Staff...)
}

// works notes that Twilio took a part or, if told, sent it: where that proves that the
// account works again, everything goes on.
func (q *Queue) works(ctx context.Context, p *store.Part, told bool) error {
	if !q.Breaker.Proves(p.Started, told) {
		return nil
	}
	queue.AfterCommit(ctx, q.Store.DB, func() {
		for _, phone := range q.Breaker.Mend() {
			q.Store.Queue.Wake(store.QueueWhatsApp, phone)
		}
	})
	return q.Store.LateOver(ctx, lateAccount, text.TwilioMendedForStaff())
}

// stillBroken begins with a probe if the account was refused when the process before
// this one ended.
func (q *Queue) stillBroken(ctx context.Context) error {
	late, err := q.Store.IsLate(ctx, lateAccount)
	if late {
		q.Breaker.Resume()
	}
	return err
}
