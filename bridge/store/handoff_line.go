package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/handoff"
)

// States of a line on its way to one phone.
const (
	SendWaiting = "waiting" // its words can still change
	SendFrozen  = "frozen"  // its parts stand
	SendDone    = "done"    // Twilio has all parts
	SendFailed  = "failed"
	SendDropped = "dropped" // nobody needs it any more
)

// Line is a stored text for WhatsApp.
type Line struct {
	ID    int64
	Asker string // whose words it carries, "" if nobody's
	handoff.Line
}

const lineColumns = "id, handoff, kind, source, held, asker, head, pieces"

func scanLine(row dbutil.Scannable) (*Line, error) {
	var l Line
	var pieces string
	if err := row.Scan(&l.ID, &l.Number, &l.Kind, &l.Source, &l.Held, &l.Asker, &l.Head, &pieces); err != nil {
		return nil, err
	}
	return &l, json.Unmarshal([]byte(pieces), &l.Pieces)
}

// AddLine stores a line. It goes to no phone before AddSend.
func (s *Store) AddLine(ctx context.Context, l *Line) error {
	pieces, err := json.Marshal(l.Pieces)
	if err != nil {
		return wrap("line", err)
	}
	if err := s.DB.QueryRow(ctx, "INSERT INTO wa_line (handoff, kind, source, held, asker, head, pieces, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
		l.Number, l.Kind, l.Source, l.Held, l.Asker, l.Head, string(pieces), millis(s.Now())).Scan(&l.ID); err != nil {
		return wrap("line", err)
	}
	for _, p := range l.Pieces {
		if p.Event() == "" {
			continue
		}
		if _, err := s.exec(ctx, "INSERT INTO wa_source (event_id, line) VALUES ($1, $2) ON CONFLICT DO NOTHING", p.Event(), l.ID); err != nil {
			return wrap("line's source", err)
		}
	}
	return nil
}

// AddSend makes a line wait for its turn at a phone, once.
func (s *Store) AddSend(ctx context.Context, line int64, phone string) error {
	_, err := s.exec(ctx, `INSERT INTO wa_send (line, phone, state, short, handoff) SELECT id, $2, $3, false, handoff FROM wa_line WHERE id=$1
		ON CONFLICT DO NOTHING`, line, phone, SendWaiting)
	return wrap("send", err)
}

// Line loads a line; nil if there is none.
func (s *Store) Line(ctx context.Context, id int64) (*Line, error) {
	l, err := none(scanLine(s.DB.QueryRow(ctx, "SELECT "+lineColumns+" FROM wa_line WHERE id=$1", id)))
	return l, wrap("line", err)
}

// LinesWith gives the lines that carry the words of an event, oldest first.
func (s *Store) LinesWith(ctx context.Context, event string) ([]*Line, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+lineColumns+" FROM wa_line WHERE id IN (SELECT line FROM wa_source WHERE event_id=$1) ORDER BY id", event)
	out, err := all(rows, err, scanLine)
	return out, wrap("lines", err)
}

// HeldLines gives the lines that wait for an asker's consent, oldest first.
func (s *Store) HeldLines(ctx context.Context, number int64, asker string) ([]*Line, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+lineColumns+" FROM wa_line WHERE handoff=$1 AND held AND asker=$2 ORDER BY id", number, asker)
	out, err := all(rows, err, scanLine)
	return out, wrap("lines", err)
}

// ReleaseLine ends the holding of a line.
func (s *Store) ReleaseLine(ctx context.Context, id int64) error {
	_, err := s.exec(ctx, "UPDATE wa_line SET held=false WHERE id=$1", id)
	return wrap("line", err)
}

// ChangeLine puts other words into a line.
func (s *Store) ChangeLine(ctx context.Context, l *Line) error {
	pieces, err := json.Marshal(l.Pieces)
	if err != nil {
		return wrap("line", err)
	}
	_, err = s.exec(ctx, "UPDATE wa_line SET head=$2, pieces=$3 WHERE id=$1", l.ID, l.Head, string(pieces))
	return wrap("line", err)
}

// Send is a line on its way to one phone.
type Send struct {
	Line  int64
	Phone string
	State string
	Short bool // its parts have to be half as long as usual

	Handoff int64 // that the line is about, 0 if about none
}

const sendColumns = "line, phone, state, short, handoff"

func scanSend(row dbutil.Scannable) (*Send, error) {
	var v Send
	err := row.Scan(&v.Line, &v.Phone, &v.State, &v.Short, &v.Handoff)
	return &v, err
}

// NextSend is the oldest line of a handoff (0: of those about none) that a phone has
// not got yet; nil if it has all.
func (s *Store) NextSend(ctx context.Context, phone string, number int64) (*Send, error) {
	v, err := none(scanSend(s.DB.QueryRow(ctx, "SELECT "+sendColumns+" FROM wa_send WHERE phone=$1 AND handoff=$2 AND state IN ('waiting', 'frozen') ORDER BY line LIMIT 1", phone, number)))
	return v, wrap("send", err)
}

// NextSendAfter is NextSend for the first handoff with a number above the given one.
func (s *Store) NextSendAfter(ctx context.Context, phone string, number int64) (*Send, error) {
	v, err := none(scanSend(s.DB.QueryRow(ctx, "SELECT "+sendColumns+" FROM wa_send WHERE phone=$1 AND handoff>$2 AND state IN ('waiting', 'frozen') ORDER BY handoff, line LIMIT 1", phone, number)))
	return v, wrap("send", err)
}

// Waits reports whether lines wait for a phone.
func (s *Store) Waits(ctx context.Context, phone string) (yes bool, err error) {
	v, err := s.NextSendAfter(ctx, phone, -1)
	return v != nil, err
}

// WaitingHandoffs gives at most n handoffs with numbers above the given one of which
// lines wait for a phone, by number.
func (s *Store) WaitingHandoffs(ctx context.Context, phone string, after int64, n int) ([]int64, error) {
	rows, err := s.DB.Query(ctx, "SELECT DISTINCT handoff FROM wa_send WHERE phone=$1 AND handoff>$2 AND state IN ('waiting', 'frozen') ORDER BY handoff LIMIT $3", phone, after, n)
	out, err := all(rows, err, func(row dbutil.Scannable) (n int64, err error) { return n, row.Scan(&n) })
	return out, wrap("waiting handoffs", err)
}

// Sends gives the ways of a line to all its phones.
func (s *Store) Sends(ctx context.Context, line int64) ([]*Send, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+sendColumns+" FROM wa_send WHERE line=$1 ORDER BY phone", line)
	out, err := all(rows, err, scanSend)
	return out, wrap("sends", err)
}

// SaveSend writes the state of a line on its way.
func (s *Store) SaveSend(ctx context.Context, v *Send) error {
	_, err := s.exec(ctx, "UPDATE wa_send SET state=$3, short=$4 WHERE line=$1 AND phone=$2", v.Line, v.Phone, v.State, v.Short)
	return wrap("send", err)
}

// Billed counts the messages of a handoff that Twilio took, and those that came for it.
func (s *Store) Billed(ctx context.Context, number int64) (n int, err error) {
	err = s.DB.QueryRow(ctx, "SELECT (SELECT COUNT(*) FROM wa_part WHERE handoff=$1 AND sid IS NOT NULL)+(SELECT COUNT(*) FROM wa_inbound WHERE handoff=$1)", number).Scan(&n)
	return n, wrap("parts", err)
}

// WasSent reports whether words of a handoff were sent to a phone.
func (s *Store) WasSent(ctx context.Context, number int64, phone string) (yes bool, err error) {
	err = s.DB.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM wa_part p JOIN wa_line l ON l.id=p.line
		WHERE p.phone=$1 AND p.handoff=$2 AND p.sid IS NOT NULL AND l.kind='ask')`, phone, number).Scan(&yes)
	return yes, wrap("sent handoff", err)
}

// GotWords gives the phones that words of a handoff were sent to.
func (s *Store) GotWords(ctx context.Context, number int64) ([]string, error) {
	rows, err := s.DB.Query(ctx, `SELECT DISTINCT p.phone FROM wa_part p JOIN wa_line l ON l.id=p.line
		WHERE p.handoff=$1 AND p.sid IS NOT NULL AND l.kind IN ('ask', 'say')`, number)
	phones, err := all(rows, err, func(row dbutil.Scannable) (p string, err error) { return p, row.Scan(&p) })
	return phones, wrap("phones", err)
}

// SaveWhatsApp remembers a message from WhatsApp once; fresh is false if it was
// taken before.
func (s *Store) SaveWhatsApp(ctx context.Context, sid, phone string) (fresh bool, err error) {
	r, err := s.exec(ctx, "INSERT INTO wa_inbound (sid, phone, handoff, body, at) VALUES ($1, $2, 0, '', $3) ON CONFLICT (sid) DO NOTHING", sid, phone, millis(s.Now()))
	if err != nil {
		return false, wrap("WhatsApp message", err)
	}
	n, err := r.RowsAffected()
	return n == 1, wrap("WhatsApp message", err)
}

// RoutedWhatsApp remembers which handoff a message from WhatsApp was about; body is
// set if it was sent to the asker.
func (s *Store) RoutedWhatsApp(ctx context.Context, sid string, number int64, body string) error {
	_, err := s.exec(ctx, "UPDATE wa_inbound SET handoff=$2, body=$3 WHERE sid=$1", sid, number, body)
	return wrap("WhatsApp message", err)
}

// Quoted finds what a message on WhatsApp is about by its MessageSid, whether we
// sent it or an agent did: the handoff, 0 if about none, and the event whose
// words it carried, "" if none.
func (s *Store) Quoted(ctx context.Context, sid string) (number int64, source string, err error) {
	var from sql.NullString
	p, err := none(scanQuoted(s.DB.QueryRow(ctx, "SELECT p.handoff, l.source FROM wa_part p LEFT JOIN wa_line l ON l.id=p.line WHERE p.sid=$1", sid), &from))
	if p == nil && err == nil {
		p, err = none(scanQuoted(s.DB.QueryRow(ctx, "SELECT handoff, '' FROM wa_inbound WHERE sid=$1", sid), &from))
	}
	if p == nil {
		return 0, "", wrap("quoted message", err)
	}
	return *p, from.String, wrap("quoted message", err)
}

func scanQuoted(row dbutil.Scannable, source *sql.NullString) (*int64, error) {
	var n int64
	err := row.Scan(&n, source)
	return &n, err
}

// Stranded gives the phones for which lines wait though no job is left to send them.
// There are none: see bridge/phone.
func (s *Store) Stranded(ctx context.Context) ([]string, error) {
	rows, err := s.DB.Query(ctx, `SELECT DISTINCT phone FROM wa_send w WHERE state IN ('waiting', 'frozen')
		AND NOT EXISTS (SELECT 1 FROM job j WHERE j.queue=$1 AND j.key=w.phone) ORDER BY phone`, QueueWhatsApp)
	phones, err := all(rows, err, func(row dbutil.Scannable) (p string, err error) { return p, row.Scan(&p) })
	return phones, wrap("stranded phones", err)
}
