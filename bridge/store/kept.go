package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/handoff"
)

// Kept gives what is kept of a phone's words; nil if nothing is.
func (s *Store) Kept(ctx context.Context, phone string) (*handoff.Kept, error) {
	k, err := none(scanKept(s.DB.QueryRow(ctx, "SELECT sid, body, until, line, offered, sent FROM wa_kept WHERE phone=$1", phone)))
	if k == nil || err != nil {
		return nil, wrap("kept words", err)
	}
	parts, err := s.Parts(ctx, k.Line, phone)
	k.Asked = askedAt(parts)
	return k, err
}

// askedAt is when the last of some parts was begun to be sent; zero if Twilio has not
// all of them.
func askedAt(parts []*Part) (at time.Time) {
	for _, p := range parts {
		if p.SID == "" {
			return time.Time{}
		}
		if p.Started.After(at) {
			at = p.Started
		}
	}
	return at
}

// SaveKept writes what is kept of a phone's words.
func (s *Store) SaveKept(ctx context.Context, phone string, k *handoff.Kept) error {
	offered, err := json.Marshal(k.Offered)
	if err != nil {
		return wrap("kept words", err)
	}
	_, err = s.exec(ctx, `INSERT INTO wa_kept (phone, sid, body, until, line, offered, sent, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (phone) DO UPDATE SET sid=excluded.sid, body=excluded.body, until=excluded.until, line=excluded.line,
			offered=excluded.offered, sent=excluded.sent, at=excluded.at`,
		phone, strings.Join(k.SIDs, " "), k.Body, millis(k.Until), k.Line, string(offered), k.Sent, millis(s.Now()))
	return wrap("kept words", err)
}

func scanKept(row dbutil.Scannable) (*handoff.Kept, error) {
	var k handoff.Kept
	var sids, offered string
	var until int64
	if err := row.Scan(&sids, &k.Body, &until, &k.Line, &offered, &k.Sent); err != nil {
		return nil, err
	}
	k.SIDs, k.Until = strings.Fields(sids), fromMillis(until)
	if offered == "" { // before they were noted
		return &k, nil
	}
	return &k, json.Unmarshal([]byte(offered), &k.Offered)
}
