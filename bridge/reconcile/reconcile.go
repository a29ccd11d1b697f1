// Package reconcile keeps Matrix at what the record says. For each project, and
// for the super-admin room, it compares the rooms as they shall be (desired.go,
// pure) with the rooms as they are (actual.go), lists the difference as steps that
// a person can read (diff.go, pure) and takes them (apply.go). Nothing is
// remembered between two looks: whoever dies in the middle looks again.
package reconcile

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/exsync"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Homeserver is what is asked of Matrix; *matrix.Client in production.
type Homeserver interface {
	Bot() string
	Alias(localpart string) string
	Probe(ctx context.Context) (matrix.Capabilities, error)
	State(ctx context.Context, room string) ([]*matrix.Event, error)
	PutState(ctx context.Context, room, typ, key string, content any) (string, error)
	CreateRoom(ctx context.Context, r matrix.CreateRoom) (string, error)
	ResolveAlias(ctx context.Context, full string) (string, error)
	DeleteAlias(ctx context.Context, full string) error
	JoinedRooms(ctx context.Context) ([]string, error)
	EnsureGhost(ctx context.Context, mxid, name string) error
	Invite(ctx context.Context, room, user, reason string) error
	Kick(ctx context.Context, room, user, reason string) error
	Join(ctx context.Context, as, room string) error
	Upload(ctx context.Context, name, contentType string, file []byte) (string, error)
}

// Reconciler does the work of the queue "reconcile", opens direct chats and makes
// plans. The fields are set before use.
type Reconciler struct {
	Store  *store.Store
	HS     Homeserver
	Policy *policy.Policy
	Log    zerolog.Logger

	Version    string    // of new rooms; "": 12 where it is offered, else the homeserver's default
	SuperAdmin string    // room id that an operator chose as super-admin room; "": we make it
	Drift      func(int) // counts steps that undid what somebody did by hand; may be nil

	// Away has the calls that other servers may hold up; nil: they are waited for.
	Away *bulkhead.Pool

	newest  atomic.Pointer[string] // room version, once asked for
	plain   atomic.Bool            // the homeserver was seen not to encrypt new rooms
	printed sync.Once
	print   string // of the configuration, see fingerprint
	directs exsync.KeyedMutex[string]

	fights fights

	listing listing

	mu       sync.Mutex
	looks    map[string]covered // by key of the queue
	failures map[deed]int       // of calls that leave the homeserver, see outOfPatience

	noPictures time.Time // no picture is uploaded until then
}

// covered says what the looks at one key have seen.
type covered struct {
	begun    time.Time // the last one that found everything in order, or made it so
	revision int64     // which it saw

	slow time.Time      // a later look waits for that time; until then
	vain map[deed]error // these steps are left out
	late int            // how many times in a row there was one
}

// maxLooks bounds the memory of looks; beyond it all are forgotten, which costs a
// few looks too many.
const maxLooks = 10_000

// Times between tries.
const (
	slowRetry  = 5 * time.Minute  // of steps that did not take
	soonRetry  = 20 * time.Second // of steps that ended in trouble, at first; doubled each time
	awayRetry  = time.Minute      // of steps that wait for another server, if nothing tells of their end; doubled each time
	maxBackoff = 10 * time.Second // where the homeserver does not answer, or asks to wait
	patience   = 6                // tries until a step with a server error counts as one that does not take
)

// Run works on the queue until ctx ends, workers projects at a time. It begins
// with the super-admin room, and looks at every project once in a while.
func (r *Reconciler) Run(ctx context.Context, workers int) error {
	if err := r.Store.Do(ctx, effect.Effect{Reconcile: &effect.Reconcile{}}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var sweeping sync.WaitGroup
	sweeping.Go(func() { r.sweep(ctx) })
	err := r.Store.Queue.Run(ctx, store.QueueReconcile, workers, r.do)
	cancel()
	sweeping.Wait()
	if r.Away != nil {
		r.Away.Wait()
	}
	return err
}

// do is one job: one look at one key's rooms.
func (r *Reconciler) do(ctx context.Context, job queue.Job) queue.Result {
	s, err := r.subject(ctx, job.Key)
	switch {
	case err != nil:
		return r.again(ctx, job, s, err)
	case s == nil:
		return queue.Result{} // no such project
	case r.seen(job, s):
		return queue.Result{Commit: func(ctx context.Context) error { return r.release(ctx, s, 0, nil) }}
	}
	begun := r.Store.Now()
	o, err := r.converge(ctx, s, r.vain(job.Key, begun), job.Attempts >= patience && r.answers(ctx))
	if err != nil {
		return r.again(ctx, job, s, err)
	}
	later := r.note(job.Key, begun, s, o)
	return queue.Result{Err: o.err(), Commit: func(ctx context.Context) error { return r.settle(ctx, s, o, later) }}
}

// subject is what a job of the queue is about, with what is remembered of it.
func (r *Reconciler) subject(ctx context.Context, key string) (*subject, error) {
	if err := r.adoptForeign(ctx, key); err != nil {
		return nil, err
	}
	s, err := r.load(ctx, key)
	if s == nil || err != nil {
		return nil, err
	}
	s.key = key
	if err := r.pictures(ctx, s, true); err != nil {
		return nil, err
	}
	s.memo, err = r.memo(ctx, key)
	return s, err
}

// again puts a look off. Staff hear of it if that lasts.
func (r *Reconciler) again(ctx context.Context, job queue.Job, s *subject, err error) queue.Result {
	if s != nil && s.project != nil && r.Store.Now().Sub(job.Created) > store.LateAfter && !silent(err) {
		words := text.LateForStaff("the rooms of "+s.project.Name, err.Error())
		err = errors.Join(err, r.Store.Tx(ctx, func(ctx context.Context) error { return r.Store.TellLate(ctx, metaMemo(job.Key), words) }))
	}
	return queue.Result{Retry: backoff(job.Attempts, err), Err: err}
}

// seen reports whether an earlier look covers a job: it began after the job was
// put, so whatever happened in Matrix was there to be seen, and it saw the record
// as it is now. The second is asked by itself because a job is put before the
// transaction that changes the record is committed.
func (r *Reconciler) seen(job queue.Job, s *subject) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.looks[job.Key]
	if ok && c.begun.After(r.Store.Now()) { // the clock was set back: nothing can be told from it
		return false
	}
	return ok && job.At.Before(c.begun) && job.Created.Before(c.begun) && c.revision == s.revision()
}

// note remembers a look, and gives the time of a slow try if one has to be put.
func (r *Reconciler) note(key string, begun time.Time, s *subject, o *outcome) (later time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.looks == nil || len(r.looks) >= maxLooks {
		r.looks = map[string]covered{}
	}
	c := r.looks[key]
	c.vain = nil
	if len(o.refused)+len(o.away) == 0 {
		c.begun, c.revision, c.late = begun, s.revision(), 0
	} else if !c.slow.After(begun) {
		c.slow = begun.Add(o.pause(c.late))
		c.late++
		later = c.slow
	}
	for _, f := range o.refused {
		if f.err == nil || troubled(f.err) {
			if c.vain == nil {
				c.vain = map[deed]error{}
			}
			c.vain[f.step.deed()] = f.err
		}
	}
	r.looks[key] = c
	return later
}

// pause is how long it takes until a look comes by itself. Trouble may be over soon;
// what is refused stays so for a while.
func (o *outcome) pause(before int) time.Duration {
	if len(o.refused) == 0 {
		return min(awayRetry<<min(before, 10), slowRetry)
	}
	for _, f := range o.refused {
		if troubled(f.err) || errors.Is(f.err, errFight) {
			return min(soonRetry<<min(before, 10), slowRetry)
		}
	}
	return slowRetry
}

// vain gives the steps that are not to be tried now: those that the homeserver
// takes without an effect, since each try is an event, each event calls for a look,
// and there were no end; and those that end in its own trouble, which would be
// waited out again by each look. What is refused costs little, and is tried.
func (r *Reconciler) vain(key string, now time.Time) map[deed]*try {
	r.mu.Lock()
	defer r.mu.Unlock()
	tries := map[deed]*try{}
	if c := r.looks[key]; c.slow.After(now) {
		for d, err := range c.vain {
			tries[d] = &try{maxTries, err}
		}
	}
	return tries
}

// backoff is a quarter of a second, doubled with each attempt, at most maxBackoff;
// what the homeserver names wins.
func backoff(attempts int, err error) time.Duration {
	if d := matrix.RetryAfter(err); d > 0 {
		return d
	}
	return min(250*time.Millisecond<<min(attempts, 6), maxBackoff)
}

// err joins the homeserver's refusals for the log.
func (o *outcome) err() error {
	var errs []error
	for _, f := range o.refused {
		errs = append(errs, f.err)
	}
	return errors.Join(errs...)
}

// answers reports whether the homeserver answers at all. While it is away no step has
// a trouble of its own, and none shall wait out a pause when it is back.
func (r *Reconciler) answers(ctx context.Context) bool {
	_, err := r.HS.Probe(ctx)
	return err == nil
}

// newVersion is the room version for new rooms.
func (r *Reconciler) newVersion(ctx context.Context) (string, error) {
	if r.Version != "" {
		return r.Version, nil
	}
	if v := r.newest.Load(); v != nil {
		return *v, nil
	}
	caps, err := r.HS.Probe(ctx)
	if err != nil {
		return "", err
	}
	v := caps.RoomVersion()
	r.newest.Store(&v)
	return v, nil
}

// errEncrypts is why no room of a project is made on a homeserver that encrypts it:
// nobody could write there, since encrypted events are out of everybody's reach.
var errEncrypts = errors.New(`the homeserver encrypts every new room, and nobody could write there. Set encryption_enabled_by_default_for_room_type to "off" in homeserver.yaml and restart it`)

// readable refuses to make rooms that nobody could write in. An operator mends that
// while we run, so only the good answer is remembered.
func (r *Reconciler) readable(ctx context.Context) error {
	if r.plain.Load() {
		return nil
	}
	caps, err := r.HS.Probe(ctx)
	switch {
	case err != nil:
		return err
	case caps.ForcesEncryption:
		return errEncrypts
	}
	r.plain.Store(true)
	return nil
}

func domainOf(user string) string {
	_, domain, _ := strings.Cut(user, ":")
	return domain
}
