package store

import (
	"context"
	"strings"

	"lanekeeper/bridge/handoff"
)

// Which handoff a message from a phone is for is asked at every such message, so each
// of these reads takes its rows from an index, with a limit. The columns owner, reach
// and passed of handoff say for that what the record says; see SaveHandoff.

func ownerOf(h *handoff.Handoff) string {
	if h.Owner == nil {
		return ""
	}
	return h.Owner.ID
}

// passedOf are the phones that passed, each between blanks.
func passedOf(h *handoff.Handoff) string {
	if len(h.Passed) == 0 {
		return ""
	}
	return " " + strings.Join(h.Passed, " ") + " "
}

func passedBy(phone string) string { return "% " + phone + " %" }

// wasSent is a condition: words of a handoff, or that it waits, were sent to the phone $1.
const wasSent = `EXISTS (SELECT 1 FROM wa_part p JOIN wa_line l ON l.id=p.line
	WHERE p.phone=$1 AND p.handoff=handoff.number AND p.sid IS NOT NULL AND l.kind IN ('ask', 'say', 'waiting'))`

// Taken gives at most n handoffs that are taken by an owner with some id, with numbers
// above one, by number.
func (s *Store) Taken(ctx context.Context, owner string, after int64, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "state='taken' AND owner=$1 AND number>$2 ORDER BY number LIMIT $3", owner, after, n)
}

// TakenOnWhatsApp gives at most n of those whose words may be read there, by number.
func (s *Store) TakenOnWhatsApp(ctx context.Context, owner string, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "state='taken' AND owner=$1 AND reach='whatsapp' ORDER BY number LIMIT $2", owner, n)
}

// Open gives at most n handoffs that nobody owns and whose words may go so far, by number.
func (s *Store) Open(ctx context.Context, reach handoff.Reach, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "state='open' AND reach=$1 ORDER BY number LIMIT $2", reach, n)
}

// Free gives at most n handoffs that nobody owns, that a phone did not pass, and of
// which words were sent to it, by number.
func (s *Store) Free(ctx context.Context, phone string, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "state='open' AND reach='whatsapp' AND passed NOT LIKE $2 AND "+wasSent+" ORDER BY number LIMIT $3", phone, passedBy(phone), n)
}

// Unread gives at most n like Free, but of which nothing was sent to the phone yet.
func (s *Store) Unread(ctx context.Context, phone string, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "state='open' AND reach='whatsapp' AND passed NOT LIKE $2 AND NOT "+wasSent+" ORDER BY number LIMIT $3", phone, passedBy(phone), n)
}
