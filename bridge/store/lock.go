package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/queue"
)

const (
	lockRetry = time.Second      // how often a standby asks, and whoever waits for the database
	lockCheck = 2 * time.Second  // how often the owner looks whether it still is, and how long that may take
	lockTime  = 10 * time.Second // how long one try may take
)

// ErrLockLost is the cause of the end of a context from Lock: another process may
// own the database now. The queues, which know it as ErrFenced, finish nothing then.
var ErrLockLost = fmt.Errorf("the lock on the database was lost: %w", queue.ErrFenced)

// Lock makes this process the owner of a database. While another process is, it
// waits as a standby; a database that does not answer is waited for, too. What the
// database refuses is an error. The context it gives ends with ctx, with release, and, on
// PostgreSQL, when the connection that holds the lock is lost. release lets the
// next process in; call it when all work on the database has stopped.
func Lock(ctx context.Context, kind, uri string, log zerolog.Logger) (owner context.Context, release func(), err error) {
	var try func(context.Context) (holder, error)
	switch kind {
	case SQLite:
		try = func(context.Context) (holder, error) { return lockFile(sqliteFile(uri) + ".lock") }
	case Postgres:
		try = func(ctx context.Context) (holder, error) {
			ctx, cancel := context.WithTimeout(ctx, lockTime)
			defer cancel()
			return lockAdvisory(ctx, uri)
		}
	default:
		return nil, nil, fmt.Errorf("database lock: type %q is neither %s nor %s", kind, SQLite, Postgres)
	}
	held, err := await(ctx, try, log)
	if err != nil {
		return nil, nil, fmt.Errorf("database lock: %w", err)
	}
	owner, release = watch(ctx, held, log)
	return owner, release, nil
}

// holder is a lock that is held.
type holder interface {
	check(ctx context.Context) error // an error: it is not held any more
	release() error
}

// errTaken: another process holds the lock.
var errTaken = errors.New("another process owns the database")

// await asks for the lock until it is free.
func await(ctx context.Context, try func(context.Context) (holder, error), log zerolog.Logger) (holder, error) {
	standby, away := false, false // whether that was logged
	for {
		held, err := try(ctx)
		switch {
		case err == nil:
			return held, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, errTaken):
			if !standby {
				log.Info().Msg("Another process owns the database, waiting as a standby")
			}
			standby, away = true, false
		case !Away(err):
			return nil, err
		default:
			if !away {
				log.Warn().Err(err).Msg("The database does not answer; waiting for it")
			}
			standby, away = false, true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockRetry):
		}
	}
}

// watch checks a lock until it is released or lost.
func watch(ctx context.Context, held holder, log zerolog.Logger) (owner context.Context, release func()) {
	owner, cancel := context.WithCancelCause(ctx)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(lockCheck)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if err := checkIn(context.WithoutCancel(ctx), held, lockCheck); err != nil {
				log.Error().Err(err).Msg("The lock on the database was lost; waiting for it")
				cancel(ErrLockLost)
				return
			}
		}
	}()
	return owner, sync.OnceFunc(func() {
		close(stop)
		<-stopped
		if errors.Is(context.Cause(owner), ErrLockLost) {
			go func() { _ = held.release() }() // a connection that hangs is not waited for
			return
		}
		cancel(context.Canceled)
		if err := held.release(); err != nil {
			log.Warn().Err(err).Msg("Releasing the lock on the database")
		}
	})
}

// checkIn does not wait longer than it may, not even for a driver that does.
func checkIn(ctx context.Context, held holder, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	checked := make(chan error, 1)
	go func() { checked <- held.check(ctx) }()
	select {
	case err := <-checked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fileLock is a lock on a file beside the SQLite database. The kernel frees it
// when the process is gone. The database file itself must not be locked or even
// closed by others than SQLite: https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
type fileLock struct{ file *os.File }

func lockFile(name string) (holder, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errTaken
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return &fileLock{file}, nil
}

func (l *fileLock) check(context.Context) error { return nil }

// release closes the file, which frees the lock. The file stays: removing it
// would let a third process lock a new one beside a second that waits here.
func (l *fileLock) release() error { return l.file.Close() }

// advisoryLock is a session lock of PostgreSQL on a connection of its own. It
// needs a connection to the server, not to a pooler that shares sessions.
type advisoryLock struct {
	pool *sql.DB
	conn *sql.Conn
}

// advisoryKey is the same for all versions of the bridge. Advisory locks belong
// to one database of the server.
func advisoryKey() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("lanekeeper owner"))
	return int64(h.Sum64())
}

func lockAdvisory(ctx context.Context, uri string) (held holder, err error) {
	pool, err := openPostgres(uri)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = pool.Close() // and its connection
		}
	}()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var got bool
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", advisoryKey()).Scan(&got)
	if err == nil && !got {
		err = errTaken
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &advisoryLock{pool, conn}, nil
}

// check asks over the connection that holds the lock: a new one would not.
func (l *advisoryLock) check(ctx context.Context) error {
	var one int
	return l.conn.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

func (l *advisoryLock) release() error {
	return errors.Join(l.conn.Close(), l.pool.Close())
}
