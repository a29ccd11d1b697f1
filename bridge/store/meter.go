package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// What is counted for each person.
const (
	MeterCommands  = "commands"
	MeterWords     = "words"
	MeterBeside    = "beside"    // words where others asked, which only staff are shown
	MeterHands     = "hands"     // 🙋 on somebody else's message that was answered
	MeterEverybody = "everybody" // alerts of everybody in a lane
	MeterStrangers = "strangers" // notices of unknown numbers
)

// late is how long after an event happened its own time counts: after an outage what
// somebody wrote in an hour comes in within a second.
const late = 15 * time.Minute

// Spend counts something that a person did at a time, against the most that they may
// do in a span that begins with the first. over: it was too much, and is not counted;
// first: nobody was told so yet in this span. A limit below 1 is none.
//
// The time is what the person's homeserver says. Saying others does not help: a time
// never counts as earlier than the one before, nor as later than now, so over any
// hour nobody gets more through than the limit allows in that hour.
func (s *Store) Spend(ctx context.Context, person, kind string, at time.Time, span time.Duration, limit int) (over, first bool, err error) {
	if limit < 1 {
		return false, false, nil
	}
	now := s.Now()
	if at.After(now) {
		at = now
	}
	if oldest := now.Add(-late); at.Before(oldest) {
		at = oldest
	}
	m, err := none(scanMeter(s.DB.QueryRow(ctx, "SELECT since, used, told FROM meter WHERE person=$1 AND kind=$2", person, kind)))
	if err != nil {
		return false, false, wrap("meter", err)
	}
	switch {
	case m == nil || m.since.After(now): // or the clock was set back
		m = &meter{since: at}
	case !at.Before(m.since.Add(span)):
		*m = meter{since: at}
	}
	if over = m.used >= limit; over {
		first, m.told = !m.told, true
	} else {
		m.used++
	}
	if over && !first {
		return true, false, nil
	}
	_, err = s.exec(ctx, `INSERT INTO meter (person, kind, since, used, told) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (person, kind) DO UPDATE SET since=excluded.since, used=excluded.used, told=excluded.told`, person, kind, millis(m.since), m.used, m.told)
	return over, first, wrap("meter", err)
}

type meter struct {
	since time.Time
	used  int
	told  bool
}

func scanMeter(row dbutil.Scannable) (*meter, error) {
	var m meter
	var since int64
	err := row.Scan(&since, &m.used, &m.told)
	m.since = fromMillis(since)
	return &m, err
}

// ForgetMeters deletes at most n counts whose span began before a time; more: there
// may be others.
func (s *Store) ForgetMeters(ctx context.Context, before time.Time, n int) (more bool, err error) {
	r, err := s.exec(ctx, "DELETE FROM meter WHERE (person, kind) IN (SELECT person, kind FROM meter WHERE since<$1 ORDER BY since LIMIT $2)", millis(before), n)
	if err != nil {
		return false, wrap("meter", err)
	}
	deleted, err := r.RowsAffected()
	return deleted == int64(n), wrap("meter", err)
}
