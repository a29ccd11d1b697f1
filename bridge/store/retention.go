package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
)

// Retention is how long what is over is kept. Projects, people and decisions are
// kept for good. Times are those at which something came in or changed here: what an
// event says of its own time is its sender's word.
type Retention struct {
	Messages time.Duration // what was said in rooms; answers that nobody waits for any more; state of rooms that were left; strangers' numbers
	Handoffs time.Duration // handoffs since they were closed, with all words on WhatsApp; what our messages became
	Parked   time.Duration // work that was set aside
}

// ForgetOld deletes at most n rows of each kind that are too old; more: there may be
// others.
func (s *Store) ForgetOld(ctx context.Context, keep Retention, n int) (more bool, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		now := s.Now()
		b := batch{Store: s, n: n}
		words := millis(now.Add(-keep.Messages))
		b.drop(ctx, "DELETE FROM message WHERE event_id IN (SELECT event_id FROM message WHERE came<$1 ORDER BY came LIMIT $2)", words)
		b.drop(ctx, "DELETE FROM answer WHERE command IN (SELECT command FROM answer WHERE at<$1 ORDER BY at LIMIT $2)", words)
		b.drop(ctx, "DELETE FROM wa_line WHERE id IN (SELECT id FROM wa_line WHERE handoff=0 AND created<$1 ORDER BY created LIMIT $2)", words)
		b.drop(ctx, "DELETE FROM wa_inbound WHERE sid IN (SELECT sid FROM wa_inbound WHERE handoff=0 AND at<$1 ORDER BY at LIMIT $2)", words)
		b.drop(ctx, "DELETE FROM profile WHERE user_id IN (SELECT user_id FROM profile WHERE at<$1 ORDER BY at LIMIT $2)", words)
		b.drop(ctx, "DELETE FROM wa_kept WHERE phone IN (SELECT phone FROM wa_kept WHERE at<$1 ORDER BY at LIMIT $2)", millis(now.Add(-keptADay)))
		b.drop(ctx, "DELETE FROM wa_phone WHERE phone IN (SELECT phone FROM wa_phone WHERE told>0 AND inbound=0 AND template=0 AND told<$1 ORDER BY told LIMIT $2)", words)
		closed := millis(now.Add(-keep.Handoffs))
		b.drop(ctx, "DELETE FROM parked WHERE id IN (SELECT id FROM parked WHERE parked<$1 ORDER BY parked LIMIT $2)", millis(now.Add(-keep.Parked)))
		b.handoffs(ctx, closed)
		b.sent(ctx, closed, millis(now))
		more, err = b.more, b.err
		return err
	})
	return more, wrap("old rows", err)
}

// keptADay is how long it is remembered that an agent was asked for a number: one that
// comes too late is no answer either.
const keptADay = 24 * time.Hour

// batch is a portion of what is deleted.
type batch struct {
	*Store
	n    int
	more bool
	err  error
}

func (b *batch) drop(ctx context.Context, query string, before int64) {
	if b.err != nil {
		return
	}
	r, err := b.exec(ctx, query, before, b.n)
	if err != nil {
		b.err = err
		return
	}
	deleted, err := r.RowsAffected()
	b.more, b.err = b.more || deleted == int64(b.n), err
}

// handoffWords is how many rows one handoff may bring, roughly: so many fewer are
// deleted at once.
const handoffWords = 20

// handoffs deletes closed handoffs with all that was said in them. Their lines take
// what hangs on them along.
func (b *batch) handoffs(ctx context.Context, before int64) {
	if b.err != nil {
		return
	}
	n := max(1, b.n/handoffWords)
	rows, err := b.DB.Query(ctx, "SELECT number FROM handoff WHERE state='closed' AND changed<$1 ORDER BY changed LIMIT $2", before, n)
	numbers, err := all(rows, err, func(row dbutil.Scannable) (number int64, err error) { return number, row.Scan(&number) })
	b.more, b.err = b.more || len(numbers) == n, err
	for _, number := range numbers {
		for _, query := range []string{
			"DELETE FROM wa_line WHERE handoff=$1", "DELETE FROM wa_part WHERE handoff=$1",
			"DELETE FROM wa_inbound WHERE handoff=$1", "DELETE FROM handoff WHERE number=$1",
		} {
			if b.err == nil {
				_, b.err = b.exec(ctx, query, number)
			}
		}
	}
}

// sent forgets what our messages became. What a handoff that stands or an open request
// refers to is kept for another while: its card is edited and reacted to, and what is
// said in its threads is known by their roots.
func (b *batch) sent(ctx context.Context, before, now int64) {
	if b.err != nil {
		return
	}
	rows, err := b.DB.Query(ctx, "SELECT id FROM sent WHERE at<$1 ORDER BY at LIMIT $2", before, b.n)
	ids, err := all(rows, err, func(row dbutil.Scannable) (id string, err error) { return id, row.Scan(&id) })
	b.more, b.err = b.more || len(ids) == b.n, err
	for _, id := range ids {
		if b.err != nil {
			return
		}
		var needed bool
		if number := numberOf(id); number != 0 {
			b.err = b.DB.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM handoff WHERE number=$1)
				OR EXISTS (SELECT 1 FROM request WHERE number=$1 AND state='open')`, number).Scan(&needed)
		}
		switch {
		case b.err != nil:
		case needed:
			_, b.err = b.exec(ctx, "UPDATE sent SET at=$2 WHERE id=$1", id, now)
		default:
			_, b.err = b.exec(ctx, "DELETE FROM sent WHERE id=$1", id)
		}
	}
}

// numberOf is the number of the handoff or request that the ID of an effect names,
// "card:12" or "request:12:@user:domain"; 0 if it names none.
func numberOf(id string) int64 {
	kind, rest, _ := strings.Cut(id, ":")
	if kind == "answer" { // of a command: an event id follows
		return 0
	}
	digits, _, _ := strings.Cut(rest, ":")
	n, _ := strconv.ParseInt(digits, 10, 64)
	return n
}

// ForgetLeft forgets the state of rooms that are not ours and that somebody of ours
// left, as we heard before a time: it looks at n of their memberships after one, and
// says where the next look goes on; zero: nowhere.
func (s *Store) ForgetLeft(ctx context.Context, user string, after, before time.Time, n int) (next time.Time, err error) {
	rows, err := s.DB.Query(ctx, "SELECT room, raw, came FROM room_state WHERE type='m.room.member' AND skey=$1 AND ts>$2 ORDER BY ts LIMIT $3", user, millis(after), n)
	var left []string
	members, err := all(rows, err, func(row dbutil.Scannable) (*matrix.Event, error) {
		var room, raw string
		var came int64
		if err := row.Scan(&room, &raw, &came); err != nil {
			return nil, err
		}
		e, err := matrix.ParseEvent(room, []byte(raw))
		if err == nil && came < millis(before) && slices.Contains([]string{"leave", "ban"}, e.Membership()) {
			left = append(left, room)
		}
		return e, err
	})
	if err != nil {
		return next, wrap("rooms that were left", err)
	}
	ours, err := s.RoomsByID(ctx, left)
	if err != nil {
		return next, err
	}
	for _, room := range left {
		if ours[room] == nil {
			if err := s.ForgetState(ctx, room); err != nil {
				return next, err
			}
		}
	}
	if len(members) == n {
		next = lastOf(members).TS
	}
	return next, nil
}

func lastOf(events []*matrix.Event) *matrix.Event { return events[len(events)-1] }
