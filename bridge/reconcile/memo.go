package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// memo is what is remembered of a project over looks, for telling people. The work
// itself needs none of it.
type memo struct {
	Revision int64            `json:"revision"` // at which the rooms were last in order
	Policy   string           `json:"policy"`   // under which they were
	At       int64            `json:"at"`       // when that was found first, in ms
	Told     map[string]int64 `json:"told"`     // what was said to be stuck, with the revision at that time
}

func (r *Reconciler) memo(ctx context.Context, key string) (m memo, err error) {
	raw, err := r.Store.Meta(ctx, metaMemo(key))
	if err == nil && raw != "" {
		err = json.Unmarshal([]byte(raw), &m)
	}
	return m, err
}

func metaMemo(key string) string { return "reconcile " + key }

// settle writes what a look came to, in the transaction that ends its job: the
// answers that waited for it, and what people have to be told.
func (r *Reconciler) settle(ctx context.Context, key string, s *subject, o *outcome, later time.Time) error {
	was, err := r.memo(ctx, key)
	if err != nil {
		return err
	}
	now := was
	if err := r.tellDrift(ctx, s, o, was); err != nil {
		return err
	}
	news, told := o.stuck(was.Told, s.revision())
	if err := r.tellSuperAdmins(ctx, s, news); err != nil {
		return err
	}
	now.Told = told
	if len(o.refused) == 0 && (was.Revision != s.revision() || was.Policy != r.fingerprint()) {
		now.Revision, now.Policy, now.At = s.revision(), r.fingerprint(), r.Store.Now().UnixMilli()
	}
	if err := r.release(ctx, s, o.missingSince(told)); err != nil {
		return err
	}
	if !later.IsZero() {
		if _, err := r.Store.Queue.Put(ctx, queue.Item{Queue: store.QueueReconcile, Key: key, At: later}); err != nil {
			return err
		}
	}
	if now.Revision == was.Revision && now.Policy == was.Policy && maps.Equal(now.Told, was.Told) {
		return nil
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return r.Store.SetMeta(ctx, metaMemo(key), string(raw))
}

// release lets the answers go that waited for the record as this look saw it, but
// for those up to the revision since which something is missing.
func (r *Reconciler) release(ctx context.Context, s *subject, missing int64) error {
	if s.project == nil {
		return nil
	}
	return r.Store.ReleaseAnswers(ctx, s.project.ID, missing, s.project.Revision, r.Policy.MayNameAll)
}

// missingSince is the last revision with which something appeared that is refused;
// 0 if nothing is. Answers that waited for it wait on, those of later changes do
// not: they shall not be held up for ever by what has nothing to do with them.
func (o *outcome) missingSince(told map[string]int64) (revision int64) {
	for _, f := range o.refused {
		revision = max(revision, told[f.key()])
	}
	return revision
}

// stuck lists what was not said before, and all that is stuck now.
func (o *outcome) stuck(before map[string]int64, revision int64) (news []text.Words, told map[string]int64) {
	told = map[string]int64{}
	add := func(key string, w text.Words) {
		since, known := before[key]
		if !known {
			news = append(news, w)
			since = revision
		}
		told[key] = since
	}
	for _, step := range o.impossible {
		add(step.Text, step.Words)
	}
	for _, f := range o.refused {
		add(f.key(), f.words())
	}
	return news, told
}

// key identifies it without the homeserver's words, which may differ each time.
func (f failed) key() string { return "refused: " + f.step.Text }

func (f failed) words() text.Words {
	var e *matrix.Error
	switch {
	case f.step.Op == "": // not a step: the record cannot be understood
		return text.Say("%s", f.err.Error())
	case errors.As(f.err, &e):
		return text.RefusedStep(f.step.Words, e.Message)
	case f.err != nil:
		return text.RefusedStep(f.step.Words, f.err.Error())
	}
	return text.StillSo(f.step.Words)
}

func (r *Reconciler) tellSuperAdmins(ctx context.Context, s *subject, news []text.Words) error {
	if len(news) == 0 {
		return nil
	}
	slug := ""
	if s.project != nil {
		slug = s.project.Slug
	} else if row := s.room(store.SuperAdmin); row == nil || row.ID == "" {
		return nil // nowhere to say it
	}
	return r.tell(ctx, effect.Place{SuperAdmin: true}, text.StepsForSuperAdmins(slug, news))
}

func (r *Reconciler) tell(ctx context.Context, to effect.Place, words text.Words) error {
	return r.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: to, Content: markup.Fit(words, markup.MaxMessage).Notice()}})
}

// tellDrift says, once, what was undone: in the notes lane if everybody there may
// know of the rooms, else in the super-admin room. It is drift only if the rooms
// were in order under this same record.
func (r *Reconciler) tellDrift(ctx context.Context, s *subject, o *outcome, was memo) error {
	if len(o.drift) == 0 || was.Policy != r.fingerprint() || was.Revision != s.revision() {
		return nil
	}
	to := effect.Place{SuperAdmin: true}
	if p := s.project; p != nil {
		now := r.Store.Now()
		if expired(p, time.UnixMilli(was.At), now) {
			return nil
		}
		if r.notesMayKnow(p, s, o.drift, now) {
			to = effect.Place{Project: p.ID, Lane: string(project.Notes)}
		}
	}
	var done []text.Words
	for _, step := range o.drift {
		done = append(done, step.Words)
	}
	if r.Drift != nil {
		queue.AfterCommit(ctx, r.Store.DB, func() { r.Drift(len(done)) })
	}
	return r.tell(ctx, to, text.DriftForStaff(done))
}

// notesMayKnow reports whether all members of the notes lane are members of the
// rooms that steps name.
func (r *Reconciler) notesMayKnow(p *project.Project, s *subject, steps []Step, now time.Time) bool {
	notes := s.room(string(project.Notes))
	if notes == nil || notes.ID == "" || !slices.Contains(r.Policy.Lanes(p), project.Notes) {
		return false
	}
	for _, m := range r.Policy.Members(p, project.Notes, now) {
		for _, step := range steps {
			if r.Policy.Access(p, m.User, step.Kind, now) == project.None {
				return false
			}
		}
	}
	return true
}

// fingerprint identifies the configuration's say in what rooms shall be.
func (r *Reconciler) fingerprint() string {
	r.printed.Do(func() {
		raw, err := json.Marshal([]any{r.Policy, r.SuperAdmin})
		if err != nil {
			r.Log.Error().Err(err).Msg("Policy cannot be written as JSON")
		}
		sum := sha256.Sum256(raw)
		r.print = hex.EncodeToString(sum[:8])
	})
	return r.print
}
