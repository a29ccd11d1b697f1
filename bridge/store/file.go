package store

import (
	"context"
	"encoding/json"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/queue"
)

// fileKey keeps the files of a phone in their order. One that has to be waited for lets
// the others pass; what is deleted holds nothing up.
func fileKey(f *effect.File) string {
	if f.Drop {
		return "drop:" + f.Message
	}
	return f.Phone
}

// Fetched puts what became of a file where it is decided, behind what its phone wrote.
func (s *Store) Fetched(ctx context.Context, f effect.Fetched) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return wrap("file", err)
	}
	payload, err := json.Marshal(Input{Kind: InputFile, Raw: raw})
	if err != nil {
		return wrap("file", err)
	}
	_, err = s.Queue.Put(ctx, queue.Item{Queue: QueueIn, Key: "phone:" + f.File.Phone, Payload: payload})
	return wrap("file", err)
}

// LastRouted is the handoff that the message from a phone before this one was about, if
// that came since a time; 0: there was none, or it was about none, as words are that
// take one, and taps.
func (s *Store) LastRouted(ctx context.Context, phone, sid string, since time.Time) (int64, error) {
	rows, err := s.DB.Query(ctx, "SELECT sid, handoff FROM wa_inbound WHERE phone=$1 AND at>=$2 ORDER BY at DESC LIMIT 2", phone, millis(since))
	last, err := dbutil.NewRowIterWithError(rows, scanRouted, err).AsList()
	for _, r := range last {
		if r.sid != sid {
			return r.handoff, nil
		}
	}
	return 0, wrap("last WhatsApp messages", err)
}

type routed struct {
	sid     string
	handoff int64
}

func scanRouted(row dbutil.Scannable) (r routed, err error) {
	err = row.Scan(&r.sid, &r.handoff)
	return r, err
}
