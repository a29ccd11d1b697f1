package store

import (
	"context"

	"go.mau.fi/util/dbutil"
)

// SaveContext remembers which messages went along with a question, oldest first.
func (s *Store) SaveContext(ctx context.Context, number int64, events []string) error {
	for i, event := range events {
		if _, err := s.exec(ctx, "INSERT INTO handoff_context (handoff, place, event_id) VALUES ($1, $2, $3)", number, i, event); err != nil {
			return wrap("context", err)
		}
	}
	return nil
}

// Context gives the messages that went along with a question, oldest first.
func (s *Store) Context(ctx context.Context, number int64) ([]string, error) {
	rows, err := s.DB.Query(ctx, "SELECT event_id FROM handoff_context WHERE handoff=$1 ORDER BY place", number)
	out, err := all(rows, err, func(row dbutil.Scannable) (event string, err error) { return event, row.Scan(&event) })
	return out, wrap("context", err)
}

// ContextOf gives the handoffs with whose question a message went along.
func (s *Store) ContextOf(ctx context.Context, event string) ([]int64, error) {
	rows, err := s.DB.Query(ctx, "SELECT handoff FROM handoff_context WHERE event_id=$1 ORDER BY handoff", event)
	out, err := all(rows, err, func(row dbutil.Scannable) (n int64, err error) { return n, row.Scan(&n) })
	return out, wrap("context", err)
}
