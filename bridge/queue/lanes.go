package queue

import "slices"

// bounds of what one queue holds in memory.
type bounds struct {
	jobs  int // all
	bytes int // of payload
	lane  int // jobs of one key
	page  int // rows of one query
}

var defaultBounds = bounds{jobs: 2048, bytes: 32 << 20, lane: 32, page: 512}

// lane is a key with work in memory, or one that was blocked a moment ago.
type lane struct {
	key     string
	jobs    []*Job // by id; the first one runs if running
	running bool
	woken   bool  // Wake was called while it ran
	more    bool  // the database may have more; take nothing but a refill
	blocked bool  // its head waits in the database
	mark    int64 // number of the query that was the last to begin before it was blocked
}

// lanes is the memory of one queue. It does no I/O and is not safe for concurrent
// use. Rows come from one query at a time: begin, then offer or refill, then end.
//
// A query sees the database as of its begin. What changed since then is known
// here and wins over what the query tells: the ids that left, and the lanes that
// were blocked.
type lanes struct {
	bounds bounds
	byKey  map[string]*lane
	ready  []*lane // have a job that may start, longest waiting first
	refill []*lane // are empty and have more in the database
	waits  []*lane // blocked, until a query began after that
	left   map[int64]struct{}
	query  int64
	loaded int
	bytes  int

	crowded bool // see crowd
}

func newLanes(b bounds) *lanes {
	return &lanes{bounds: b, byKey: make(map[string]*lane), left: make(map[int64]struct{})}
}

// full: nothing more is taken in.
func (l *lanes) full() bool { return l.loaded >= l.bounds.jobs || l.bytes >= l.bounds.bytes }

// roomy: it is worth while to read again.
func (l *lanes) roomy() bool {
	return l.loaded <= l.bounds.jobs/2 && l.bytes <= l.bounds.bytes/2
}

// crowd: no more lanes are taken in until half of those are gone that wait for a
// refill. Each key that was woken leaves one, and an outage wakes all keys.
func (l *lanes) crowd() bool {
	n := len(l.refill)
	l.crowded = n >= l.bounds.jobs || l.crowded && n > l.bounds.jobs/2
	return l.crowded
}

// begin is called before each query.
func (l *lanes) begin() {
	l.query++
	clear(l.left)
}

// end is called when the rows of a query have been read: lanes that were blocked
// before it began need not be remembered, the database tells now.
func (l *lanes) end() {
	l.waits = slices.DeleteFunc(l.waits, func(w *lane) bool {
		if w.blocked && w.mark < l.query {
			delete(l.byKey, w.key)
		}
		return !w.blocked || w.mark < l.query
	})
}

// offer takes one row in, or leaves it for later; false: memory is full, the row
// must be offered again.
func (l *lanes) offer(job *Job, state int) bool {
	if _, gone := l.left[job.ID]; gone {
		return true
	}
	n := l.byKey[job.Key]
	switch {
	case n == nil:
		if l.full() || l.crowd() {
			return false
		}
		n = &lane{key: job.Key}
		l.byKey[job.Key] = n
	case n.blocked:
		if state != stateHead {
			return true // stands behind the head
		}
		n.blocked = false
	case n.has(job.ID):
		return true
	case n.more:
		return true // comes with the refill, in order
	case len(n.jobs) >= l.bounds.lane:
		n.more = true
		return true
	case l.full():
		return false
	}
	if state == stateHead {
		n.more = true // what stands behind it was never offered
	}
	l.insert(n, job)
	return true
}

func (n *lane) has(id int64) bool {
	return slices.ContainsFunc(n.jobs, func(j *Job) bool { return j.ID == id })
}

// insert puts a job in its place behind the one that runs.
func (l *lanes) insert(n *lane, job *Job) {
	i := len(n.jobs)
	first := 0
	if n.running {
		first = 1
	}
	for i > first && n.jobs[i-1].ID > job.ID {
		i--
	}
	n.jobs = slices.Insert(n.jobs, i, job)
	l.loaded++
	l.bytes += len(job.Payload)
	if !n.running && len(n.jobs) == 1 {
		l.ready = append(l.ready, n)
	}
}

// takeRefill gives lanes that wait for a refill, as many as there is room for.
func (l *lanes) takeRefill() []*lane {
	if l.full() {
		return nil
	}
	room := max(1, (l.bounds.jobs-l.loaded)/l.bounds.lane)
	n := min(room, len(l.refill), l.bounds.page/l.bounds.lane+1)
	taken := slices.Clone(l.refill[:n])
	l.refill = l.refill[n:]
	return taken
}

// refilled takes the answer to a refill: the first jobs of each of the lanes.
func (l *lanes) refilled(taken []*lane, rows []row) {
	for i := range rows {
		l.insert(l.byKey[rows[i].Key], &rows[i].Job)
	}
	for _, n := range taken {
		n.more = len(n.jobs) >= l.bounds.lane
		l.settle(n)
	}
}

// next gives a job that may start, nil if there is none.
func (l *lanes) next() *Job {
	if len(l.ready) == 0 {
		return nil
	}
	n := l.ready[0]
	l.ready = l.ready[1:]
	n.running, n.woken = true, false
	return n.jobs[0]
}

// wake notes a Wake for a lane whose job runs; false: none does.
func (l *lanes) wake(key string) bool {
	n := l.byKey[key]
	if n == nil || !n.running {
		return false
	}
	n.woken = true
	return true
}

// wakeRunning notes a Wake for every lane whose job runs.
func (l *lanes) wakeRunning() {
	for _, n := range l.byKey {
		n.woken = n.woken || n.running
	}
}

// done takes a job out that was completed or parked.
func (l *lanes) done(job *Job) {
	n := l.pop(job)
	if len(n.jobs) > 0 {
		l.ready = append(l.ready, n)
		return
	}
	l.settle(n)
}

// block takes a lane out whose head shall be tried again later; it comes back
// when the head is due. True: Wake was called meanwhile.
func (l *lanes) block(job *Job) (woken bool) {
	n := l.pop(job)
	for _, rest := range n.jobs {
		l.loaded--
		l.bytes -= len(rest.Payload)
	}
	n.jobs = nil
	n.blocked, n.mark = true, l.query
	l.waits = append(l.waits, n)
	return n.woken
}

// pop removes the job that ran from its lane.
func (l *lanes) pop(job *Job) *lane {
	n := l.byKey[job.Key]
	n.jobs[0] = nil
	n.jobs = n.jobs[1:]
	n.running = false
	l.loaded--
	l.bytes -= len(job.Payload)
	l.left[job.ID] = struct{}{}
	return n
}

// settle decides about a lane that may be empty.
func (l *lanes) settle(n *lane) {
	switch {
	case len(n.jobs) > 0:
	case n.more:
		l.refill = append(l.refill, n)
	default:
		delete(l.byKey, n.key)
	}
}
