package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// PendingAfter is how long a command waits for Matrix to show its change before
// the answer says that it is still pending.
const PendingAfter = 30 * time.Second

// TimerAnswer brings AnswerPending; its argument is the command's event id.
const TimerAnswer effect.TimerKind = "answer"

// Answer is what a command gets: exactly one notice, in a thread on the command.
type Answer struct {
	Command string         `json:"command"` // event id of the command
	To      effect.Place   `json:"to"`
	Thread  string         `json:"thread"`   // root of the thread the answer stands in
	ReplyTo string         `json:"reply_to"` // the command, where it stands in a thread itself
	Result  map[string]any `json:"result"`   // lanekeeper.result
	Words   text.Words     `json:"words"`
	Rooms   bool           `json:"rooms"` // the result lists the project's rooms once they are made

	// Lane is the kind of lane that it is said in, "" in direct chats; Names are the
	// lanes that it speaks of. Whether it may is asked anew when it is said.
	Lane  project.Kind   `json:"lane,omitempty"`
	Names []project.Kind `json:"names,omitempty"`
	For   string         `json:"for,omitempty"` // MXID of who gave the command

	// About are the people whom the change is about; none: it is about the project.
	About []string `json:"about,omitempty"`

	Why string `json:"why,omitempty"` // the homeserver's reason to refuse the change so far
	// Then is told to others at the same moment. Without Words there is no answer,
	// only this: what a reaction brought about.
	Then []effect.Effect `json:"then,omitempty"`
}

// ID is the effect ID of the answer's message.
func (a *Answer) ID() string { return "answer:" + a.Command }

// Message is the effect that sends the answer.
func (a *Answer) Message() effect.Effect {
	content := a.Words.Notice()
	content["lanekeeper.result"] = a.Result
	return effect.Effect{Message: &effect.Message{ID: a.ID(), To: a.To, Content: content, Thread: effect.Ref(a.Thread), ReplyTo: effect.Ref(a.ReplyTo)}}
}

// Audience says whether everybody who can be in a lane of a project may hear of its
// other lanes.
type Audience func(p *project.Project, in project.Kind, names []project.Kind) bool

// heard makes of an answer whose time has come what its room may hear: the whole, or
// that it was done, with the whole for who gave the command.
func (s *Store) heard(ctx context.Context, w *waiting, may Audience) (here, alone *Answer, err error) {
	if w.Lane == "" || len(w.Names) == 0 {
		return &w.Answer, nil, nil
	}
	p, err := s.Project(ctx, w.project)
	if err != nil || p != nil && may(p, w.Lane, w.Names) {
		return &w.Answer, nil, err
	}
	whole, rest := w.Answer, w.Answer
	whole.Result, whole.Words = Outline(w.Result), text.Elsewhere(text.Words{})
	rest.Command += ":rest"
	rest.To, rest.Thread, rest.ReplyTo = effect.Place{Person: w.For}, "", ""
	return &whole, &rest, nil
}

// Outline is what a result says that names nothing.
func Outline(result map[string]any) map[string]any {
	f := map[string]any{}
	for _, key := range []string{"ok", "command", "error", "changed"} {
		if v, ok := result[key]; ok {
			f[key] = v
		}
	}
	return f
}

// AnswerWhen keeps an answer until Matrix shows the project at a revision. After
// PendingAfter without that a notice says that it is pending.
func (s *Store) AnswerWhen(ctx context.Context, a *Answer, project string, revision int64) error {
	b, err := json.Marshal(a)
	if err != nil {
		return wrap("answer", err)
	}
	if _, err := s.exec(ctx, "INSERT INTO answer (command, project, revision, answer, pending, at) VALUES ($1, $2, $3, $4, false, $5)", a.Command, project, revision, string(b), millis(s.Now())); err != nil {
		return wrap("answer", err)
	}
	if a.Words.Plain == "" {
		return nil
	}
	return s.Do(ctx, effect.Effect{Timer: &effect.Timer{At: s.Now().Add(PendingAfter), Kind: TimerAnswer, Key: "answer:" + a.Command, Arg: a.Command}})
}

type waiting struct {
	Answer
	project string
	pending bool
}

func scanWaiting(row dbutil.Scannable) (*waiting, error) {
	var w waiting
	var raw string
	if err := row.Scan(&raw, &w.project, &w.pending); err != nil {
		return nil, err
	}
	return &w, json.Unmarshal([]byte(raw), &w.Answer)
}

// ReleaseAnswers sends the answers that waited for a project's revisions after one
// and up to another: Matrix shows them now.
func (s *Store) ReleaseAnswers(ctx context.Context, project string, after, revision int64, may Audience) error {
	rows, err := s.DB.Query(ctx, "DELETE FROM answer WHERE project=$1 AND revision>$2 AND revision<=$3 RETURNING answer, project, pending", project, after, revision)
	released, err := all(rows, err, scanWaiting)
	if err != nil {
		return wrap("answers", err)
	}
	return s.say(ctx, project, released, may)
}

// ReleaseOthers sends the answers that waited for a project's revisions up to one and
// are about people none of whom is among those stuck: what Matrix does not show yet has
// nothing to do with them.
func (s *Store) ReleaseOthers(ctx context.Context, project string, revision int64, stuck []string, may Audience) error {
	rows, err := s.DB.Query(ctx, "SELECT answer, project, pending FROM answer WHERE project=$1 AND revision<=$2 ORDER BY revision", project, revision)
	held, err := all(rows, err, scanWaiting)
	if err != nil {
		return wrap("answers", err)
	}
	held = slices.DeleteFunc(held, func(w *waiting) bool {
		return len(w.About) == 0 || slices.ContainsFunc(w.About, func(user string) bool { return slices.Contains(stuck, user) })
	})
	for _, w := range held {
		if _, err := s.exec(ctx, "DELETE FROM answer WHERE command=$1", w.Command); err != nil {
			return wrap("answers", err)
		}
	}
	return s.say(ctx, project, held, may)
}

// say sends what waited for Matrix.
func (s *Store) say(ctx context.Context, id string, released []*waiting, may Audience) error {
	for _, w := range released {
		if w.Rooms {
			rooms, err := s.Rooms(ctx, id)
			if err != nil {
				return err
			}
			ids, links := map[string]any{}, []text.Pill(nil)
			for _, r := range rooms { // in the order of their names, which is that of who reads them
				ids[r.Kind] = r.ID
				if r.ID != "" && r.Kind != string(project.Space) {
					links = append(links, text.Pill{ID: r.ID, Name: text.LaneWord(project.Kind(r.Kind)), Via: s.Domain})
				}
			}
			w.Result["rooms"] = ids
			w.Words = text.Join(w.Words, text.RoomsForSender(links))
		}
		told := w.Then
		if w.Words.Plain != "" {
			here, alone, err := s.heard(ctx, w, may)
			if err != nil {
				return err
			}
			m := here.Message()
			if w.pending {
				m.Message.ID, m.Message.Edits = "", effect.To(w.ID())
			}
			told = append([]effect.Effect{m}, told...)
			if alone != nil {
				told = append(told, alone.Message())
			}
		}
		if err := s.Do(ctx, told...); err != nil {
			return err
		}
	}
	return nil
}

// HoldAnswers notes for the answers that wait for a project's revisions up to one why
// the homeserver does not let the change come about.
func (s *Store) HoldAnswers(ctx context.Context, project string, revision int64, why string) error {
	rows, err := s.DB.Query(ctx, "SELECT answer, project, pending FROM answer WHERE project=$1 AND revision<=$2", project, revision)
	held, err := all(rows, err, scanWaiting)
	if err != nil {
		return wrap("answers", err)
	}
	for _, w := range held {
		if w.Why == why {
			continue
		}
		w.Why = why
		b, err := json.Marshal(w.Answer)
		if err != nil {
			return wrap("answer", err)
		}
		if _, err := s.exec(ctx, "UPDATE answer SET answer=$2 WHERE command=$1", w.Command, string(b)); err != nil {
			return wrap("answer", err)
		}
	}
	return nil
}

// AnswerPending says that a command's change does not stand yet, if it is still
// waited for.
func (s *Store) AnswerPending(ctx context.Context, command string, may Audience) error {
	w, err := none(scanWaiting(s.DB.QueryRow(ctx, "UPDATE answer SET pending=true WHERE command=$1 AND NOT pending RETURNING answer, project, pending", command)))
	if w == nil || err != nil {
		return wrap("answer", err)
	}
	here, _, err := s.heard(ctx, w, may)
	if err != nil {
		return err
	}
	said := *here
	said.Result = maps.Clone(said.Result)
	said.Result["pending"] = true
	why := w.Why
	if w.Lane != "" { // it may name what others there must not know
		why = ""
	}
	said.Words = text.Pending(why) // the news is none yet
	return s.Do(ctx, said.Message())
}
