package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
	"pgregory.net/rapid"
)

// TestLoaderAgainstModel drives the loader and the lanes by hand, against a table
// in memory that behaves like the worst PostgreSQL: transactions commit late and
// in any order, and between the moment a query sees the table and the moment its
// rows arrive anything may happen (defect 2 of the measured queues). Whenever a
// job starts it must be its turn, and in the end all must be done.
func TestLoaderAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, rapid.Bool().Draw(t, "late commits"))
		steps := rapid.IntRange(10, 150).Draw(t, "steps")
		for range steps {
			if m.draw("load", 3) == 0 {
				m.load()
			} else {
				m.step()
			}
		}
		m.drain()
	})
}

// modelRow is a row of the model's table.
type modelRow struct {
	row
	commit int // the event that committed it, 0: none yet
}

// model is the table, the world that puts and works, and the loader under test.
type model struct {
	t        *rapid.T
	late     bool // transactions commit late
	draining bool // nothing happens any more
	rows     map[int64]*modelRow
	ids      int64
	event    int // counts what happened, for before and after
	now      time.Time
	run      map[string]*Job // by key
	r        *runner
}

func newModel(t *rapid.T, late bool) *model {
	m := &model{t: t, late: late, rows: make(map[int64]*modelRow), run: make(map[string]*Job), now: time.UnixMilli(1_000_000)}
	b := bounds{jobs: 6, bytes: 12, lane: 3, page: 4}
	m.r = newRunner(New(&dbutil.Database{}, m, zerolog.Nop()), "q", m, b)
	m.r.reading = m.r.fromScratch()
	return m
}

func (m *model) Now() time.Time                       { return m.now }
func (m *model) After(time.Duration) <-chan time.Time { return nil }
func (m *model) draw(label string, n int) int         { return rapid.IntRange(0, n-1).Draw(m.t, label) }

// load is a round of the loader.
func (m *model) load() bool {
	more, err := m.r.round(m.t.Context(), m.draw("tick", 4) == 0)
	if err != nil {
		m.t.Fatal(err)
	}
	if m.r.lanes.loaded >= m.r.lanes.bounds.jobs+m.r.lanes.bounds.lane {
		m.t.Fatalf("%d jobs in memory", m.r.lanes.loaded)
	}
	return more
}

// step is something that happens beside the loader.
func (m *model) step() {
	if m.draining {
		return
	}
	m.event++
	switch m.draw("step", 7) {
	case 0, 1:
		m.put()
	case 2:
		m.commitOne()
	case 3, 4:
		m.work()
	case 5:
		m.finish()
	case 6:
		m.now = m.now.Add(time.Duration(m.draw("ms", 20)) * time.Millisecond)
	}
}

func (m *model) key() string { return fmt.Sprint("k", m.draw("key", 4)) }

func (m *model) put() {
	m.ids++
	item := Item{Key: m.key()}
	if m.draw("timer", 4) == 0 {
		item.At = m.now.Add(time.Duration(m.draw("in", 30)) * time.Millisecond)
	}
	state, at := stateOf(item, m.now.UnixMilli())
	r := &modelRow{row: row{Job: Job{ID: m.ids, Key: item.Key, At: time.UnixMilli(at), Payload: make([]byte, m.draw("size", 5))}, state: state}, commit: m.event}
	m.rows[m.ids] = r
	if m.late && m.draw("commits late", 3) == 0 {
		r.commit = 0
		return
	}
	m.announce(r)
}

func (m *model) announce(r *modelRow) {
	if r.state == stateTimer {
		m.r.signals.dueAt(r.At.UnixMilli())
	}
}

func (m *model) commitOne() {
	for _, id := range m.sorted() {
		if r := m.rows[id]; r.commit == 0 && m.draw("commit this", 2) == 0 {
			r.commit = m.event
			m.announce(r)
			return
		}
	}
}

func (m *model) sorted() []int64 {
	var ids []int64
	for id := range m.rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// work is a worker that takes a job; here it must be that job's turn.
func (m *model) work() bool {
	job := m.r.lanes.next()
	if job == nil {
		return false
	}
	mine := m.rows[job.ID]
	switch {
	case mine == nil:
		m.t.Fatalf("job %d was done before", job.ID)
	case mine.commit == 0:
		m.t.Fatalf("job %d is not committed", job.ID)
	case mine.At.After(m.now):
		m.t.Fatalf("job %d is early", job.ID)
	case m.run[job.Key] != nil:
		m.t.Fatalf("job %d starts while %d of its key runs", job.ID, m.run[job.Key].ID)
	case mine.Attempts != job.Attempts:
		m.t.Fatalf("job %d is an old version", job.ID)
	}
	for _, other := range m.rows {
		if other.Key != job.Key || other.ID == job.ID || other.commit == 0 {
			continue
		}
		if other.state == stateHead {
			m.t.Fatalf("job %d starts before the head %d of its key", job.ID, other.ID)
		}
		if other.state == stateReady && mine.state == stateReady && other.ID < job.ID && other.commit <= mine.commit {
			m.t.Fatalf("job %d starts before %d", job.ID, other.ID)
		}
	}
	m.run[job.Key] = job
	return true
}

// finish stores the outcome of a job that runs.
func (m *model) finish() bool {
	if len(m.run) == 0 {
		return false
	}
	var keys []string
	for key := range m.run {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	job := m.run[keys[m.draw("finish", len(keys))]]
	delete(m.run, job.Key)
	switch m.draw("outcome", 4) {
	case 0:
		o := m.r.retry(job, time.Duration(m.draw("retry", 10))*time.Millisecond, true)
		r := m.rows[job.ID]
		r.state, r.At, r.Attempts = stateHead, time.UnixMilli(o.at), o.job.Attempts
		m.r.finish([]*outcome{o})
	case 1:
		m.r.Wake("q", m.key())
		fallthrough
	default:
		delete(m.rows, job.ID)
		m.r.finish([]*outcome{{job: job}})
	}
	return true
}

// drain lets everything come to its end.
func (m *model) drain() {
	m.draining = true
	m.event++
	for range 10_000 {
		for _, r := range m.rows {
			if r.commit == 0 {
				r.commit = m.event
				m.announce(r)
			}
		}
		if len(m.rows) == 0 {
			break
		}
		m.now = m.now.Add(time.Millisecond)
		_, err := m.r.round(m.t.Context(), false)
		if err != nil {
			m.t.Fatal(err)
		}
		for m.work() || m.finish() {
		}
	}
	if n := len(m.rows); n > 0 {
		m.t.Fatalf("%d jobs are left: %v", n, m.sorted())
	}
	for m.load() {
	}
	if len(m.r.lanes.byKey) > 0 || m.r.lanes.loaded != 0 || m.r.lanes.bytes != 0 {
		m.t.Fatalf("%d lanes and %d jobs stay in memory", len(m.r.lanes.byKey), m.r.lanes.loaded)
	}
}

// answer is what a query saw; it arrives after more has happened.
func (m *model) answer(limit int, match func(*modelRow) bool, order func(a, b row) int) []row {
	var rows []row
	for _, r := range m.rows {
		if r.commit != 0 && match(r) {
			rows = append(rows, r.row)
			last := &rows[len(rows)-1]
			last.snapshot, last.behind = strconv.Itoa(m.event), r.state != stateHead && m.headed(r.Key)
		}
	}
	slices.SortFunc(rows, order)
	rows = rows[:min(limit, len(rows))]
	for range m.draw("meanwhile", 4) {
		m.step()
	}
	return rows
}

func (m *model) headed(key string) bool {
	for _, r := range m.rows {
		if r.Key == key && r.state == stateHead {
			return true
		}
	}
	return false
}

func byID(a, b row) int { return int(a.ID - b.ID) }

func (m *model) start(context.Context) error { return nil }

func (m *model) ready(_ context.Context, s sweep, limit int) ([]row, error) {
	seen, asOf := 0, m.event
	if m.late && s.seen != nothing {
		seen, _ = strconv.Atoi(s.seen)
	}
	if m.late && s.asOf != "" {
		asOf, _ = strconv.Atoi(s.asOf)
	}
	return m.answer(limit, func(r *modelRow) bool {
		return r.state == stateReady && r.ID > s.cursor && r.commit > seen && r.commit <= asOf
	}, byID), nil
}

// With late commits the model behaves like PostgreSQL, else like SQLite.
func (m *model) ordered() bool { return !m.late }

func (m *model) timed(_ context.Context, now int64, after place, limit int) ([]row, error) {
	return m.answer(limit, func(r *modelRow) bool {
		at := r.At.UnixMilli()
		return r.state != stateReady && at <= now && (at > after.at || at == after.at && r.ID > after.id)
	}, func(a, b row) int {
		if d := a.At.Compare(b.At); d != 0 {
			return d
		}
		return byID(a, b)
	}), nil
}

func (m *model) next(_ context.Context, now int64, keys []string, limit int) (rows []row, err error) {
	for _, key := range keys {
		rows = append(rows, m.answer(limit, func(r *modelRow) bool {
			return r.Key == key && (r.state == stateReady || r.At.UnixMilli() <= now)
		}, byID)...)
	}
	return rows, nil
}

func (m *model) due(_ context.Context, now int64) (int64, error) {
	next := int64(never)
	for _, r := range m.rows {
		if at := r.At.UnixMilli(); r.commit != 0 && r.state != stateReady && at > now {
			next = min(next, at)
		}
	}
	for range m.draw("meanwhile", 2) {
		m.step()
	}
	return next, nil
}

func (m *model) wake(_ context.Context, now int64, keys []string, all bool) error {
	for _, r := range m.rows {
		if r.state == stateHead && (all || slices.Contains(keys, r.Key)) && r.At.UnixMilli() > now {
			r.At = time.UnixMilli(now)
		}
	}
	return nil
}
