package queue_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// TestKill: processes are killed at any moment (kill -9), the next goes on.
// Nothing is lost, done twice or out of order.
func TestKill(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		from := 1
		for i := range 6 {
			cmd := childProcess(t.Context(), kind, uri, strconv.Itoa(from))
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// Killed some time after it put enough; work is always left over.
			lines := bufio.NewScanner(out)
			for range 5 + 7*i%11 {
				if !lines.Scan() {
					t.Fatal("the child ended")
				}
				from, _ = strconv.Atoi(lines.Text())
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			from += 100 // it may have put more than it told
		}
		if out, err := childProcess(t.Context(), kind, uri, "").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		l, err := newLedger(t.Context(), storetest.Open(t, kind, uri))
		if err != nil {
			t.Fatal(err)
		}
		l.check(t)
	})
}

func childProcess(ctx context.Context, kind, uri, from string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "LEDGER_CHILD="+kind, "LEDGER_URI="+uri, "LEDGER_FROM="+from)
	return cmd
}

// TestLostConnections: the server cuts all connections again and again, in the
// middle of transactions too.
func TestLostConnections(t *testing.T) {
	uri := storetest.Postgres(t)
	db, other := storetest.Open(t, store.Postgres, uri), storetest.Open(t, store.Postgres, uri)
	l, err := newLedger(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	wait := l.work(working)
	for n := 1; n < 1000; n += 20 {
		if err := l.put(ctx, n, n+20); err != nil {
			t.Fatal(err)
		}
		if n%100 == 1 {
			_, err := other.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname=current_database() AND pid<>pg_backend_pid()`)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.settled(ctx); err != nil {
		t.Error(err)
	}
	stop()
	wait()
	l.check(t)
}

// TestRestart: a process that stops in good order leaves everything to the next.
func TestRestart(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		defer cancel()
		for n := 1; n < 600; n += 60 {
			db, err := store.Open(ctx, kind, uri, nop)
			if err != nil {
				t.Fatal(err)
			}
			l, err := newLedger(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			working, stop := context.WithCancel(ctx)
			wait := l.work(working)
			if err := l.put(ctx, n, n+60); err != nil {
				t.Fatal(err)
			}
			stop()
			wait()
			_ = db.Close()
		}
		l, err := newLedger(ctx, storetest.Open(t, kind, uri))
		if err != nil {
			t.Fatal(err)
		}
		working, stop := context.WithCancel(ctx)
		wait := l.work(working)
		if err := l.settled(ctx); err != nil {
			t.Error(err)
		}
		stop()
		wait()
		l.check(t)
	})
}

// TestDurable: on SQLite every transaction that was acknowledged was synced to
// the disk, counted by the kernel (power loss; kill -9 alone keeps the page cache).
func TestDurable(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("DURABILITY NOT TESTED: strace is not installed")
	}
	const batches = 50
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-c", "-e", "trace=fdatasync,fsync", os.Args[0])
	cmd.Env = append(os.Environ(), "DURABLE_CHILD="+storetest.SQLite(t), "DURABLE_BATCHES="+strconv.Itoa(batches))
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "ptrace") {
		t.Skipf("DURABILITY NOT TESTED: strace may not trace here: %s", out)
	} else if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if syncs := countSyncs(t, string(out)); syncs < batches {
		t.Errorf("%d transactions were committed with %d syncs:\n%s", batches, syncs, out)
	}
}

// countSyncs reads strace's table: time, seconds, usecs/call, calls, (errors,) name.
func countSyncs(t *testing.T, table string) (calls int) {
	t.Helper()
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 5 || (f[len(f)-1] != "fsync" && f[len(f)-1] != "fdatasync") {
			continue
		}
		n, err := strconv.Atoi(f[3])
		if err != nil {
			t.Fatalf("strace: %q", line)
		}
		calls += n
	}
	return calls
}
