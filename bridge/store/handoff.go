package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/handoff"
)

// ErrChanged says that a handoff was changed by another transaction meanwhile.
var ErrChanged = errors.New("the handoff was changed meanwhile")

func scanHandoff(row dbutil.Scannable) (*handoff.Handoff, error) {
	var h handoff.Handoff
	var raw string
	var version int64
	if err := row.Scan(&raw, &version); err != nil {
		return nil, err
	}
	err := json.Unmarshal([]byte(raw), &h)
	h.Version = version
	return &h, err
}

func (s *Store) handoffWhere(ctx context.Context, where string, args ...any) (*handoff.Handoff, error) {
	h, err := none(scanHandoff(s.DB.QueryRow(ctx, "SELECT record, version FROM handoff WHERE "+where, args...)))
	return h, wrap("handoff", err)
}

func (s *Store) handoffsWhere(ctx context.Context, where string, args ...any) ([]*handoff.Handoff, error) {
	rows, err := s.DB.Query(ctx, "SELECT record, version FROM handoff WHERE "+where, args...)
	out, err := all(rows, err, scanHandoff)
	return out, wrap("handoffs", err)
}

// Handoff loads a handoff by its number; nil if there is none.
func (s *Store) Handoff(ctx context.Context, number int64) (*handoff.Handoff, error) {
	return s.handoffWhere(ctx, "number=$1", number)
}

// HandoffByThread finds the handoff of a room whose thread has this root: an event
// id, or "~ID" of the message that an effect sends.
func (s *Store) HandoffByThread(ctx context.Context, room *Room, root string) (*handoff.Handoff, error) {
	direct := ""
	if room.Kind == Direct {
		direct = room.User
	}
	return s.handoffWhere(ctx, "thread=$1", threadKey(room.ID, direct, root))
}

// threadKey tells a thread from those of other rooms: its root is named by clients.
// The direct chat with a person is one, whichever room that is.
func threadKey(room, direct, root string) string {
	if direct != "" {
		room = "direct:" + direct
	}
	return room + " " + root
}

func threadOf(h *handoff.Handoff) string {
	if h.Direct {
		return threadKey("", h.First().User, string(h.Thread))
	}
	return threadKey(h.Room, "", string(h.Thread))
}

// HandoffInLanes finds the newest handoff that somebody asked in a lane and that is not
// closed.
func (s *Store) HandoffInLanes(ctx context.Context, user string) (*handoff.Handoff, error) {
	return s.handoffWhere(ctx, "asker=$1 AND direct=$2 AND state<>'closed' ORDER BY number DESC LIMIT 1", user, false)
}

// HandoffsInDirect gives those of a person's direct chat that are not closed, by number.
func (s *Store) HandoffsInDirect(ctx context.Context, user string) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "asker=$1 AND direct AND state<>'closed' ORDER BY number", user)
}

// OpenOf gives the newest n handoffs that somebody asked for and that are not closed,
// the newest first.
func (s *Store) OpenOf(ctx context.Context, asker string, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "asker=$1 AND state<>'closed' ORDER BY number DESC LIMIT $2", asker, n)
}

// OpenIn gives at most n of those of a project that are not closed, with numbers above one,
// by number.
func (s *Store) OpenIn(ctx context.Context, project string, after int64, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "project=$1 AND project<>'' AND state<>'closed' AND number>$2 ORDER BY number LIMIT $3", project, after, n)
}

// HandoffsOf gives the handoffs with some numbers, by number.
func (s *Store) HandoffsOf(ctx context.Context, numbers []int64) (map[int64]*handoff.Handoff, error) {
	out := make(map[int64]*handoff.Handoff, len(numbers))
	if len(numbers) == 0 {
		return out, nil
	}
	args, marks := make([]any, len(numbers)), make([]string, len(numbers))
	for i, n := range numbers {
		args[i], marks[i] = n, placeholder(i+1)
	}
	found, err := s.handoffsWhere(ctx, "number IN ("+strings.Join(marks, ",")+")", args...)
	for _, h := range found {
		out[h.Number] = h
	}
	return out, err
}

// HandoffsAfter gives at most n of those with numbers above one, by number.
func (s *Store) HandoffsAfter(ctx context.Context, number int64, n int) ([]*handoff.Handoff, error) {
	return s.handoffsWhere(ctx, "state IN ('open', 'taken') AND number>$1 ORDER BY number LIMIT $2", number, n)
}

// HandoffsEver gives at most n handoffs in any state with numbers below one, the
// newest first; 0: the newest of all.
func (s *Store) HandoffsEver(ctx context.Context, below int64, n int) ([]*handoff.Handoff, error) {
	if below == 0 {
		below = math.MaxInt64
	}
	return s.handoffsWhere(ctx, "number<$1 ORDER BY number DESC LIMIT $2", below, n)
}

// AskedBefore reports whether somebody asked for a human already.
func (s *Store) AskedBefore(ctx context.Context, user string, direct bool) (yes bool, err error) {
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM handoff WHERE asker=$1 AND direct=$2)", user, direct).Scan(&yes)
	return yes, wrap("handoff", err)
}

// SaveHandoff writes a handoff, new (version 0) or changed. It fails with
// ErrChanged if somebody else changed it since it was loaded.
func (s *Store) SaveHandoff(ctx context.Context, h *handoff.Handoff) error {
	old := h.Version
	h.Version++
	raw, err := json.Marshal(h)
	if err != nil {
		return wrap("handoff", err)
	}
	owner, passed := ownerOf(h), passedOf(h)
	if old == 0 {
		_, err = s.exec(ctx, "INSERT INTO handoff (number, version, state, asker, direct, thread, owner, reach, passed, record, changed, project) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			h.Number, h.Version, h.State, h.First().User, h.Direct, threadOf(h), owner, h.Reach(), passed, string(raw), millis(s.Now()), h.Project)
		return wrap("handoff", err)
	}
	r, err := s.exec(ctx, "UPDATE handoff SET version=$3, state=$4, owner=$5, reach=$6, passed=$7, record=$8, changed=$9, project=$10 WHERE number=$1 AND version=$2",
		h.Number, old, h.Version, h.State, owner, h.Reach(), passed, string(raw), millis(s.Now()), h.Project)
	if err != nil {
		return wrap("handoff", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return wrap("handoff", errors.Join(err, ErrChanged))
	}
	return nil
}

// Kinds of events that count in a handoff.
const (
	EventAsked   = "asked"   // by an asker, as the words of a command
	EventSaid    = "said"    // by an asker
	EventSent    = "sent"    // by the owner in the card's thread, carried to the asker
	EventConsent = "consent" // the ✅
	EventBeside  = "beside"  // by somebody else of the project in the asker's thread, shown to staff
	// EventHeld is by an asker, and was carried nowhere: it was too much, read like a
	// command, or could be for several. The handoff is the one that it may have been
	// meant for, of those that leave least far.
	EventHeld = "held"
)

// HandoffEvent is an event that counts in a handoff.
type HandoffEvent struct {
	Event   string
	Handoff int64
	Kind    string
	User    string
	TS      time.Time
}

func scanHandoffEvent(row dbutil.Scannable) (*HandoffEvent, error) {
	var e HandoffEvent
	var ts int64
	err := row.Scan(&e.Event, &e.Handoff, &e.Kind, &e.User, &ts)
	e.TS = fromMillis(ts)
	return &e, err
}

const handoffEventColumns = "event_id, handoff, kind, user_id, ts"

// HandoffEvent finds an event that counts in a handoff; nil if it does in none.
func (s *Store) HandoffEvent(ctx context.Context, event string) (*HandoffEvent, error) {
	e, err := none(scanHandoffEvent(s.DB.QueryRow(ctx, "SELECT "+handoffEventColumns+" FROM handoff_event WHERE event_id=$1", event)))
	return e, wrap("handoff event", err)
}

// SaveHandoffEvent remembers an event once; fresh is false if it was known. One that was
// held, or stood beside, can count later.
func (s *Store) SaveHandoffEvent(ctx context.Context, e HandoffEvent) (fresh bool, err error) {
	r, err := s.exec(ctx, "INSERT INTO handoff_event ("+handoffEventColumns+") VALUES ($1, $2, $3, $4, $5) ON CONFLICT (event_id) DO UPDATE SET handoff=excluded.handoff, kind=excluded.kind WHERE handoff_event.kind IN ('held', 'beside') AND excluded.kind NOT IN ('held', 'beside')",
		e.Event, e.Handoff, e.Kind, e.User, millis(e.TS))
	if err != nil {
		return false, wrap("handoff event", err)
	}
	n, err := r.RowsAffected()
	return n == 1, wrap("handoff event", err)
}

// HandoffEventsOf finds those of some events that were said in handoffs.
func (s *Store) HandoffEventsOf(ctx context.Context, events []string) (map[string]*HandoffEvent, error) {
	out := make(map[string]*HandoffEvent, len(events))
	if len(events) == 0 {
		return out, nil
	}
	args, marks := make([]any, len(events)), make([]string, len(events))
	for i, e := range events {
		args[i], marks[i] = e, placeholder(i+1)
	}
	rows, err := s.DB.Query(ctx, "SELECT "+handoffEventColumns+" FROM handoff_event WHERE event_id IN ("+strings.Join(marks, ",")+")", args...)
	found, err := all(rows, err, scanHandoffEvent)
	for _, e := range found {
		out[e.Event] = e
	}
	return out, wrap("handoff events", err)
}

// Turn is something that was said in a handoff, by an asker or to them.
type Turn struct {
	Event string // event id, or MessageSid of an answer from WhatsApp
	Kind  string // EventAsked, EventSaid, EventSent, or TurnWhatsApp
	User  string // MXID or phone
	Body  string // of answers from WhatsApp
	TS    time.Time
}

// TurnWhatsApp is the kind of an answer from WhatsApp.
const TurnWhatsApp = "whatsapp"

// Conversation gives the last n things said in a handoff, oldest first.
func (s *Store) Conversation(ctx context.Context, number int64, n int) ([]Turn, error) {
	rows, err := s.DB.Query(ctx, `SELECT event_id, kind, user_id, '' AS body, ts FROM handoff_event WHERE handoff=$1 AND kind IN ('asked', 'said', 'sent')
		UNION ALL SELECT sid, 'whatsapp', phone, body, at FROM wa_inbound WHERE handoff=$1 AND body<>''
		ORDER BY 5 DESC LIMIT $2`, number, n)
	out, err := all(rows, err, func(row dbutil.Scannable) (t Turn, err error) {
		var ts int64
		err = row.Scan(&t.Event, &t.Kind, &t.User, &t.Body, &ts)
		t.TS = fromMillis(ts)
		return
	})
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, wrap("conversation", err)
}

// Ghost gives the opaque part of the MXID of the ghost that speaks for somebody;
// it is made up the first time.
func (s *Store) Ghost(ctx context.Context, person string) (opaque string, err error) {
	err = s.DB.QueryRow(ctx, "SELECT opaque FROM ghost WHERE person=$1", person).Scan(&opaque)
	if errors.Is(err, sql.ErrNoRows) {
		opaque = s.NewID()
		_, err = s.exec(ctx, "INSERT INTO ghost (person, opaque) VALUES ($1, $2)", person, opaque)
	}
	return opaque, wrap("ghost", err)
}

// HandoffCounts says how many handoffs are open and taken.
func (s *Store) HandoffCounts(ctx context.Context) (map[string]int, error) {
	var open, taken int
	err := s.DB.QueryRow(ctx, "SELECT (SELECT COUNT(*) FROM handoff WHERE state='open'), (SELECT COUNT(*) FROM handoff WHERE state='taken')").Scan(&open, &taken)
	return map[string]int{string(handoff.Open): open, string(handoff.Taken): taken}, wrap("handoff counts", err)
}
