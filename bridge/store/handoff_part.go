package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

// States of a part before Twilio has it; afterwards its state is Twilio's status.
const (
	PartNew    = "new"
	PartTrying = "trying" // a request was begun: until it is answered nobody knows
)

// Part is one message to Twilio.
type Part struct {
	ID       int64 // its reference in status callbacks
	Line     int64 // 0: a template that opens the window
	Number   int64 // handoff, 0 if about none
	Phone    string
	Part     int // from 1
	Parts    int
	Body     string // "" of templates: their only variable is Number
	File     string // the message whose file goes with it, "" if none does
	State    string
	SID      string    // "" until Twilio has it
	Former   string    // the SID of the last try that failed, "" if none did
	Attempts int       // requests since it came back the last time
	Returned int       // how often it came back because WhatsApp did not take it for the moment
	Code     int       // Twilio's error, 0 if none
	Started  time.Time // last try; zero: none yet
}

// Template reports whether the part is the template that opens a closed window.
func (p *Part) Template() bool { return p.Line == 0 }

const partColumns = "id, line, handoff, phone, part, parts, body, file, state, sid, former, attempts, returned, code, started"

func scanPart(row dbutil.Scannable) (*Part, error) {
	var p Part
	var line sql.NullInt64
	var sid sql.NullString
	var started int64
	err := row.Scan(&p.ID, &line, &p.Number, &p.Phone, &p.Part, &p.Parts, &p.Body, &p.File, &p.State, &sid, &p.Former, &p.Attempts, &p.Returned, &p.Code, &started)
	p.Line, p.SID, p.Started = line.Int64, sid.String, fromMillis(started)
	return &p, err
}

// Body is what one message to Twilio holds.
type Body struct {
	Words string
	File  string // the message whose file goes with it, "" if none does
}

// AddParts freezes a line for a phone: from now on its words there stand.
func (s *Store) AddParts(ctx context.Context, number, line int64, phone string, bodies []Body) ([]*Part, error) {
	var out []*Part
	for i, body := range bodies {
		p := &Part{Line: line, Number: number, Phone: phone, Part: i + 1, Parts: len(bodies), Body: body.Words, File: body.File, State: PartNew}
		if err := s.addPart(ctx, p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// AddTemplate prepares the template that opens a phone's window.
func (s *Store) AddTemplate(ctx context.Context, number int64, phone string) (*Part, error) {
	p := &Part{Number: number, Phone: phone, Part: 1, Parts: 1, State: PartNew}
	return p, s.addPart(ctx, p)
}

func (s *Store) addPart(ctx context.Context, p *Part) error {
	line := sql.NullInt64{Int64: p.Line, Valid: p.Line != 0}
	err := s.DB.QueryRow(ctx, `INSERT INTO wa_part (line, handoff, phone, part, parts, body, file, state, sid, former, attempts, code, started, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, '', 0, 0, 0, $9) RETURNING id`,
		line, p.Number, p.Phone, p.Part, p.Parts, p.Body, p.File, p.State, millis(s.Now())).Scan(&p.ID)
	return wrap("part", err)
}

// Part loads a part; nil if there is none.
func (s *Store) Part(ctx context.Context, id int64) (*Part, error) {
	p, err := none(scanPart(s.DB.QueryRow(ctx, "SELECT "+partColumns+" FROM wa_part WHERE id=$1", id)))
	return p, wrap("part", err)
}

// PartBySID finds what became of a message of ours; nil if the id is not ours.
func (s *Store) PartBySID(ctx context.Context, sid string) (*Part, error) {
	p, err := none(scanPart(s.DB.QueryRow(ctx, "SELECT "+partColumns+" FROM wa_part WHERE sid=$1", sid)))
	return p, wrap("part", err)
}

// Parts gives what a line became for a phone, in order.
func (s *Store) Parts(ctx context.Context, line int64, phone string) ([]*Part, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+partColumns+" FROM wa_part WHERE line=$1 AND phone=$2 ORDER BY part", line, phone)
	out, err := all(rows, err, scanPart)
	return out, wrap("parts", err)
}

// PendingTemplate is the template for a phone that Twilio may not have yet; nil if
// there is none.
func (s *Store) PendingTemplate(ctx context.Context, phone string) (*Part, error) {
	p, err := none(scanPart(s.DB.QueryRow(ctx, "SELECT "+partColumns+" FROM wa_part WHERE phone=$1 AND state IN ('new', 'trying') AND line IS NULL ORDER BY id LIMIT 1", phone)))
	return p, wrap("template", err)
}

// SavePart writes what became of a part.
func (s *Store) SavePart(ctx context.Context, p *Part) error {
	sid := sql.NullString{String: p.SID, Valid: p.SID != ""}
	_, err := s.exec(ctx, "UPDATE wa_part SET state=$2, sid=$3, former=$4, attempts=$5, returned=$6, code=$7, started=$8, changed=$9 WHERE id=$1",
		p.ID, p.State, sid, p.Former, p.Attempts, p.Returned, p.Code, millis(p.Started), millis(s.Now()))
	return wrap("part", err)
}

// UnfilePart puts other words into a part, and sends no file with it any more.
func (s *Store) UnfilePart(ctx context.Context, p *Part) error {
	_, err := s.exec(ctx, "UPDATE wa_part SET body=$2, file='' WHERE id=$1", p.ID, p.Body)
	return wrap("part", err)
}

// DeleteParts forgets the parts of a line for a phone: it will be cut anew.
func (s *Store) DeleteParts(ctx context.Context, line int64, phone string) error {
	_, err := s.exec(ctx, "DELETE FROM wa_part WHERE line=$1 AND phone=$2", line, phone)
	return wrap("parts", err)
}

// Phone is what we know of a number on WhatsApp.
type Phone struct {
	Number   string
	UserID   string    // WhatsApp's own id of who has it, "" if unknown
	Inbound  time.Time // last message from there; zero: never, or the window is known to be closed
	Template time.Time // last template since then; zero: none
	About    int64     // the handoff that the template named
	Refused  string    // why that template did not arrive, "" if it may have
	Told     time.Time // of a stranger: when staff were told last
	Stopped  time.Time // when its agent wanted no more messages (STOP); zero: they want them
	Turn     int64     // the handoff whose lines it gets
	Served   int       // how many of them it got in this turn
}

func scanPhone(row dbutil.Scannable) (*Phone, error) {
	var p Phone
	var inbound, template, told, stopped int64
	err := row.Scan(&p.Number, &p.UserID, &inbound, &template, &p.About, &told, &p.Refused, &p.Turn, &p.Served, &stopped)
	p.Inbound, p.Template, p.Told, p.Stopped = fromMillis(inbound), fromMillis(template), fromMillis(told), fromMillis(stopped)
	return &p, err
}

const phoneColumns = "phone, user_id, inbound, template, number, told, refused, turn, served, stopped"

// Phone gives what we know of a number; never nil without an error.
func (s *Store) Phone(ctx context.Context, number string) (*Phone, error) {
	p, err := none(scanPhone(s.DB.QueryRow(ctx, "SELECT "+phoneColumns+" FROM wa_phone WHERE phone=$1", number)))
	if p == nil && err == nil {
		p = &Phone{Number: number}
	}
	return p, wrap("phone", err)
}

// PhoneOf finds the number of somebody who hides it, by WhatsApp's id; "" if it was
// never seen together with one.
func (s *Store) PhoneOf(ctx context.Context, userID string) (string, error) {
	p, err := none(scanPhone(s.DB.QueryRow(ctx, "SELECT "+phoneColumns+" FROM wa_phone WHERE user_id=$1 AND user_id<>'' ORDER BY inbound DESC LIMIT 1", userID)))
	if p == nil {
		return "", wrap("phone", err)
	}
	return p.Number, nil
}

// Phones gives what we know of some numbers; those we know nothing of are missing.
func (s *Store) Phones(ctx context.Context, numbers []string) (map[string]*Phone, error) {
	out := make(map[string]*Phone, len(numbers))
	if len(numbers) == 0 {
		return out, nil
	}
	args, marks := make([]any, len(numbers)), make([]string, len(numbers))
	for i, n := range numbers {
		args[i], marks[i] = n, placeholder(i+1)
	}
	rows, err := s.DB.Query(ctx, "SELECT "+phoneColumns+" FROM wa_phone WHERE phone IN ("+strings.Join(marks, ",")+")", args...)
	found, err := all(rows, err, scanPhone)
	for _, p := range found {
		out[p.Number] = p
	}
	return out, wrap("phones", err)
}

// SavePhone writes what we know of a number.
func (s *Store) SavePhone(ctx context.Context, p *Phone) error {
	_, err := s.exec(ctx, "INSERT INTO wa_phone ("+phoneColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (phone) DO UPDATE SET user_id=excluded.user_id, inbound=excluded.inbound, template=excluded.template, number=excluded.number, told=excluded.told,
			refused=excluded.refused, turn=excluded.turn, served=excluded.served, stopped=excluded.stopped`,
		p.Number, p.UserID, millis(p.Inbound), millis(p.Template), p.About, millis(p.Told), p.Refused, p.Turn, p.Served, millis(p.Stopped))
	return wrap("phone", err)
}

// SendingSince reports whether a request to Twilio for a phone was begun after a
// time and is not answered yet.
func (s *Store) SendingSince(ctx context.Context, phone string, since time.Time) (yes bool, err error) {
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM wa_part WHERE phone=$1 AND state IN ('new', 'trying') AND state=$2 AND started>$3)", phone, PartTrying, millis(since)).Scan(&yes)
	return yes, wrap("parts", err)
}
