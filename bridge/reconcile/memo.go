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
	Undoing  []undone         `json:"undoing,omitempty"`
}

// undone is a step that takes back what somebody did by hand. It is noted before it
// is taken: who dies afterwards could not tell of it any more.
type undone struct {
	Kind  project.Kind `json:"kind"`
	Words text.Words   `json:"words"`
	By    string       `json:"by,omitempty"` // whose hand it was, if that is known
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
func (r *Reconciler) settle(ctx context.Context, s *subject, o *outcome, later time.Time) error {
	was, err := r.memo(ctx, s.key)
	if err != nil {
		return err
	}
	now := was
	if now.Undoing, err = r.tellDrift(ctx, s, o, was.Undoing); err != nil {
		return err
	}
	news, told := r.stuck(s, o, was.Told)
	if err := r.tellSuperAdmins(ctx, s, news); err != nil {
		return err
	}
	now.Told = told
	if len(o.refused)+len(o.away) == 0 && (was.Revision != s.revision() || was.Policy != r.fingerprint()) {
		now.Revision, now.Policy, now.At = s.revision(), r.fingerprint(), r.Store.Now().UnixMilli()
	}
	missing := o.missingSince(told)
	if err := r.hold(ctx, s, o, missing); err != nil {
		return err
	}
	if err := r.release(ctx, s, missing, o.stuckPeople()); err != nil {
		return err
	}
	if s.project != nil {
		if err := r.Store.LateOver(ctx, metaMemo(s.key), text.LateOverForStaff("the rooms of "+s.project.Name)); err != nil {
			return err
		}
	}
	if !later.IsZero() {
		if _, err := r.Store.Queue.Put(ctx, queue.Item{Queue: store.QueueReconcile, Key: s.key, At: later}); err != nil {
			return err
		}
	}
	if now.Revision == was.Revision && now.Policy == was.Policy && maps.Equal(now.Told, was.Told) && len(now.Undoing) == len(was.Undoing) {
		return nil
	}
	return r.keep(ctx, s.key, now)
}

func (r *Reconciler) keep(ctx context.Context, key string, m memo) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return r.Store.SetMeta(ctx, metaMemo(key), string(raw))
}

// promise notes what is about to be undone. It is drift only if the rooms were in
// order under this same record, and no end of a grant explains it.
func (r *Reconciler) promise(ctx context.Context, s *subject, due []Step) error {
	now := r.Store.Now()
	if s.key == "" || s.memo.Policy != r.fingerprint() || s.memo.Revision != s.revision() ||
		s.project != nil && expired(s.project, time.UnixMilli(s.memo.At), now) {
		return nil
	}
	before := len(s.memo.Undoing)
	for _, step := range due {
		known := slices.ContainsFunc(s.memo.Undoing, func(u undone) bool { return u.Words.Plain == step.Text })
		if step.Drift && !known && r.fights.rounds(step, now) < fightRounds {
			s.memo.Undoing = append(s.memo.Undoing, undone{step.Kind, step.Words, step.By})
		}
	}
	if len(s.memo.Undoing) == before {
		return nil
	}
	return r.keep(ctx, s.key, s.memo)
}

// hold says to the answers that wait why they do.
func (r *Reconciler) hold(ctx context.Context, s *subject, o *outcome, missing int64) error {
	if s.project == nil || len(o.refused) == 0 {
		return nil
	}
	return r.Store.HoldAnswers(ctx, s.project.ID, missing, o.refused[0].reason())
}

// release lets the answers go that waited for the record as this look saw it, but
// for those up to the revision since which something is missing. Of these, too, it
// lets go what is about others than the people who are all that is stuck.
func (r *Reconciler) release(ctx context.Context, s *subject, missing int64, stuck []string) error {
	if s.project == nil {
		return nil
	}
	if len(stuck) > 0 {
		if err := r.Store.ReleaseOthers(ctx, s.project.ID, missing, stuck, r.Policy.MayNameAll); err != nil {
			return err
		}
	}
	return r.Store.ReleaseAnswers(ctx, s.project.ID, missing, s.project.Revision, r.Policy.MayNameAll)
}

// missingSince is the last revision with which something appeared that is refused, or
// waits for another server; 0 if nothing is. Answers that waited for it wait on, those
// of later changes do not: they shall not be held up for ever by what has nothing to do
// with them.
func (o *outcome) missingSince(told map[string]int64) (revision int64) {
	for _, f := range o.refused {
		revision = max(revision, told[f.key()])
	}
	for _, step := range o.away {
		key := keyRefused(step.Text)
		revision = max(revision, told[keyAway(key)], told[key])
	}
	return revision
}

// stuckPeople are those whom all that is missing is about; nil if some of it is about
// nobody, such as a room that cannot be made.
func (o *outcome) stuckPeople() (users []string) {
	for _, f := range o.refused {
		users = append(users, f.step.User)
	}
	for _, step := range o.away {
		users = append(users, step.User)
	}
	if slices.Contains(users, "") {
		return nil
	}
	return users
}

// stuck lists what was not said before, and all that is stuck now, with the
// revision since which it is.
func (r *Reconciler) stuck(s *subject, o *outcome, before map[string]int64) (news []text.Words, told map[string]int64) {
	told = map[string]int64{}
	add := func(key string, w text.Words) {
		since, known := before[key]
		if !known {
			news = append(news, w)
			if since, known = before[keyAway(key)]; !known {
				since = s.revision()
			}
		}
		told[key] = since
	}
	for _, step := range o.impossible {
		add(step.Text, step.Words)
	}
	for _, f := range o.refused {
		add(f.key(), f.words())
	}
	if s.notes != nil {
		for _, n := range s.notes() {
			add(n.key, n.words)
		}
	}
	for _, step := range o.away { // nobody needs to hear of that yet, or they have
		key := keyRefused(step.Text)
		if _, known := before[key]; !known {
			key = keyAway(key)
		}
		if since, known := before[key]; known {
			told[key] = since
		} else {
			told[key] = s.revision()
		}
	}
	for key, since := range before {
		if _, known := told[key]; !known && r.fights.goesOn(key, r.Store.Now()) {
			told[key] = since
		}
	}
	return news, told
}

func keyRefused(step string) string { return "refused: " + step }
func keyAway(key string) string     { return "away: " + key }

// key identifies it without the homeserver's words, which may differ each time.
func (f failed) key() string { return keyRefused(f.step.Text) }

func (f failed) words() text.Words {
	switch {
	case f.step.Op == "": // not a step: the record cannot be understood
		return text.Say("%s", f.err.Error())
	case errors.Is(f.err, errFight):
		return text.Fought(f.step.Words)
	case silent(f.err):
		return text.UnansweredStep(f.step.Words)
	case f.err != nil:
		return text.RefusedStep(f.step.Words, f.reason())
	}
	return text.StillSo(f.step.Words)
}

// reason is the homeserver's, or ours.
func (f failed) reason() string {
	var e *matrix.Error
	switch {
	case errors.As(f.err, &e):
		return e.Message
	case f.err != nil:
		return f.err.Error()
	}
	return ""
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
// know of the rooms, else in the super-admin room. What is not undone yet is left.
func (r *Reconciler) tellDrift(ctx context.Context, s *subject, o *outcome, undoing []undone) (left []undone, err error) {
	var done []text.Words
	var kinds []project.Kind
	var by []string
	for _, u := range undoing {
		if o.open(u.Words.Plain) {
			left = append(left, u)
			continue
		}
		done, kinds, by = append(done, u.Words), append(kinds, u.Kind), append(by, u.By)
	}
	if len(done) == 0 {
		return left, nil
	}
	to := effect.Place{SuperAdmin: true}
	if p := s.project; p != nil && r.notesMayKnow(p, s, kinds, r.Store.Now()) {
		to = effect.Place{Project: p.ID, Lane: string(project.Notes)}
	}
	if r.Drift != nil {
		queue.AfterCommit(ctx, r.Store.DB, func() { r.Drift(len(done)) })
	}
	return left, r.tell(ctx, to, text.DriftForStaff(r.culprit(ctx, by), done))
}

// culprit names the one hand that all was done by; nobody where it was more than one,
// or that is not known of all.
func (r *Reconciler) culprit(ctx context.Context, by []string) text.Words {
	if by = slices.Compact(slices.Sorted(slices.Values(by))); len(by) != 1 || by[0] == "" {
		return text.Words{}
	}
	return text.Named(text.Pill{ID: by[0], Name: r.Store.Name(ctx, by[0])})
}

// open reports whether a step is still to be taken.
func (o *outcome) open(step string) bool {
	is := func(s Step) bool { return s.Text == step }
	return slices.ContainsFunc(o.away, is) || slices.ContainsFunc(o.refused, func(f failed) bool { return is(f.step) })
}

// notesMayKnow reports whether all members of the notes lane are members of the
// rooms of these kinds.
func (r *Reconciler) notesMayKnow(p *project.Project, s *subject, kinds []project.Kind, now time.Time) bool {
	notes := s.room(string(project.Notes))
	if notes == nil || notes.ID == "" || !slices.Contains(r.Policy.Lanes(p), project.Notes) {
		return false
	}
	for _, m := range r.Policy.Members(p, project.Notes, now) {
		for _, kind := range kinds {
			if r.Policy.Access(p, m.User, kind, now) == project.None {
				return false
			}
		}
	}
	return true
}

// fingerprint identifies what the configuration, and this version of ours, say in what
// rooms shall be.
func (r *Reconciler) fingerprint() string {
	r.printed.Do(func() {
		raw, err := json.Marshal([]any{r.Policy, r.SuperAdmin, text.Topics()})
		if err != nil {
			r.Log.Error().Err(err).Msg("Policy cannot be written as JSON")
		}
		sum := sha256.Sum256(raw)
		r.print = hex.EncodeToString(sum[:8])
	})
	return r.print
}
