// Package queue keeps work in the database until it is done: in order for each
// key, in parallel across keys, at least once, finished exactly once.
//
// A job is put in the transaction that decided it and leaves in the transaction
// that records its outcome. Between the two, one process (the owner of the
// database) reads jobs in the order of their ids into a bounded memory and gives
// them to workers. Nothing in memory is needed to go on after a crash.
//
// Order: of the jobs of one key that are due, the one with the lowest id is next,
// and the next one starts only when the one before is committed. (Transactions
// that put for one key at the same time decide by their commits who is first.) A job that was
// tried and shall be tried again stays at the head of its key and blocks it, also
// for jobs and timers that come due meanwhile. A timer (put with a time to come)
// blocks nothing before it is due; then it has the place of its id.
package queue

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
)

// MaxFailures is how often a job may panic or fail to commit before it is parked;
// what the database refuses as such is tried once more only.
const MaxFailures = 10

// parts is how many parts keys are spread over, for replicas that lease parts.
const parts = 256

// poll is how often a loader looks for what nobody announced: jobs that another
// process put, or a transaction that Tx did not open.
const poll = time.Second

// Item is work to be stored.
type Item struct {
	Queue, Key string
	At         time.Time // not before; zero: now. Kept to the millisecond, rounded up
	Payload    []byte
}

// Job is stored work. Attempts counts the earlier tries that ended with Retry
// (without Keep), a panic or a failed Commit.
type Job struct {
	ID          int64
	Queue, Key  string
	Payload     []byte
	Attempts    int
	Created, At time.Time

	failures int
}

// Result says what becomes of a job. The zero Result completes it.
type Result struct {
	// Commit runs in the transaction that completes the job (also when it is
	// parked, not when it is retried). It may run more than once, must use only
	// the ctx it gets, and shares its transaction with other jobs' Commits. If it
	// fails, the job is tried again from the start, with back-off; after
	// MaxFailures it is parked.
	Commit func(ctx context.Context) error
	Retry  time.Duration // > 0: stays at the head of its key, which is blocked that long
	Keep   bool          // with Retry: the attempt is not counted (waiting, not failing)
	Park   string        // reason without private data: the job moves to table parked, its key goes on
	Err    error         // logged once; changes nothing
}

// Clock tells the time and waits for it.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// System is the clock of the computer.
type System struct{}

// Now is time.Now.
func (System) Now() time.Time { return time.Now() }

// After is time.After.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Queue is all queues of one database. Its methods may be called concurrently.
type Queue struct {
	db    *dbutil.Database
	clock Clock
	log   zerolog.Logger
	poll  time.Duration

	mu      sync.Mutex
	signals map[string]*signals // by queue name
	onPark  func(context.Context, Job, string) error
	fence   func(context.Context) error
}

// New makes the queue of a database that store.Open opened.
func New(db *dbutil.Database, clock Clock, log zerolog.Logger) *Queue {
	return &Queue{
		db:      db,
		clock:   clock,
		log:     log.With().Str("component", "queue").Logger(),
		poll:    poll,
		signals: make(map[string]*signals),
	}
}

// OnPark sets what runs in the transaction that parks a job. Call it before Run.
// If it fails the job is parked without it.
func (q *Queue) OnPark(fn func(ctx context.Context, job Job, reason string) error) {
	q.onPark = fn
}

// Wake tries a blocked key again now: the head that waits for its Retry gets due.
// A job that is running and then asks for a Retry is tried again at once. Call it
// after the commit of what the job waits for (see AfterCommit). A process that
// dies right after Wake forgets it; the head is then due at its time.
func (q *Queue) Wake(name, key string) {
	q.signal(name).wake(storable(key))
}

// WakeAll is Wake for all keys of a queue: what their heads waited for is back.
func (q *Queue) WakeAll(name string) {
	q.signal(name).wakeEach()
}

// signal gives what wakes the loader of a queue, whether it runs or not.
func (q *Queue) signal(name string) *signals {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.signals[name]
	if s == nil {
		s = newSignals()
		q.signals[name] = s
	}
	return s
}

func (q *Queue) now() int64 { return q.clock.Now().UnixMilli() }

// part spreads keys; the value is stored, so it must never change.
func part(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32() % parts)
}
