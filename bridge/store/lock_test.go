package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

const patience = 2 * time.Minute

func lock(ctx context.Context, t *testing.T, kind, uri string) (context.Context, func()) {
	t.Helper()
	owner, release, err := store.Lock(ctx, kind, uri, zerolog.Nop())
	if err != nil {
		t.Fatalf("lock: %v", err)
	}
	t.Cleanup(release)
	return owner, release
}

// standby asks for the lock in the background.
func standby(ctx context.Context, t *testing.T, kind, uri string) <-chan error {
	got := make(chan error, 1)
	go func() {
		_, release, err := store.Lock(ctx, kind, uri, zerolog.Nop())
		if err == nil {
			t.Cleanup(release)
		}
		got <- err
	}()
	return got
}

// taken checks that somebody has the lock: one who does not wait long gets none.
func taken(t *testing.T, kind, uri string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := <-standby(ctx, t, kind, uri); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second process: %v", err)
	}
}

func within[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
	return v
}

func TestLock(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		owner, release := lock(t.Context(), t, kind, uri)
		taken(t, kind, uri)
		waiting := standby(t.Context(), t, kind, uri)
		if owner.Err() != nil {
			t.Error("the owner was stopped")
		}
		release()
		release() // twice does no harm
		if err := within(t, waiting, "the standby's turn"); err != nil {
			t.Error(err)
		}
		if owner.Err() == nil {
			t.Error("the context goes on after release")
		}
	})
}

// TestLockOfAKilledProcess: nobody has to clean up.
func TestLockOfAKilledProcess(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "LOCK_CHILD="+kind, "LOCK_URI="+uri)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		taken(t, kind, uri)
		waiting := standby(t.Context(), t, kind, uri)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if err := within(t, waiting, "the standby's turn"); err != nil {
			t.Error(err)
		}
	})
}

// TestMain is also a process that takes the lock and is killed.
func TestMain(m *testing.M) {
	kind := os.Getenv("LOCK_CHILD")
	if kind == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	if _, _, err := store.Lock(ctx, kind, os.Getenv("LOCK_URI"), zerolog.Nop()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("locked")
	<-ctx.Done()
}

func TestLostLock(t *testing.T) {
	uri := storetest.Postgres(t)
	owner, _ := lock(t.Context(), t, store.Postgres, uri)
	waiting := standby(t.Context(), t, store.Postgres, uri)
	db, err := sql.Open("postgres", uri)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype='advisory' AND granted")
	if err != nil {
		t.Fatal(err)
	}
	within(t, owner.Done(), "the end of the owner")
	if cause := context.Cause(owner); !errors.Is(cause, store.ErrLockLost) {
		t.Errorf("cause: %v", cause)
	}
	if err := within(t, waiting, "the standby's turn"); err != nil {
		t.Error(err)
	}
}

// M4: a database that does not answer is waited for; what refuses is an error.
func TestLockWithoutServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log := &tellTale{told: make(chan struct{}, 8)}
	got := make(chan error, 1)
	go func() {
		_, _, err := store.Lock(ctx, store.Postgres, "postgres://127.0.0.1:1/none?sslmode=disable", zerolog.New(log))
		got <- err
	}()
	within(t, log.told, "that it is away")
	cancel()
	if err := within(t, got, "the end"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	uri, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	uri.Path = "/nothing_of_that_name"
	for kind, uri := range map[string]string{
		"mysql":        "",
		store.Postgres: uri.String(),
		store.SQLite:   filepath.Join(t.TempDir(), "no", "such", "directory.db"),
	} {
		if _, _, err := store.Lock(t.Context(), kind, uri, zerolog.Nop()); err == nil {
			t.Errorf("no error for %s", kind)
		}
	}
}

// tellTale is a log that tells of each line.
type tellTale struct{ told chan struct{} }

func (w *tellTale) Write(line []byte) (int, error) {
	w.told <- struct{}{}
	return len(line), nil
}

// M4: the server notices within a minute that an owner's machine is gone without a word, and frees the lock and what its
// transactions hold. By default it waits for two hours.
func TestOwnerThatVanishes(t *testing.T) {
	uri := storetest.Postgres(t)
	db := storetest.Open(t, store.Postgres, uri)
	for name, want := range map[string]string{"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "30000"} {
		var is string
		if err := db.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&is); err != nil || is != want {
			t.Errorf("%s: %q %v", name, is, err)
		}
		if is, err := store.LockSetting(t.Context(), uri, name); err != nil || is != want {
			t.Errorf("%s of the lock: %q %v", name, is, err)
		}
	}
}
