package durability_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/postgres"
)

const (
	waits = "waiting as a standby"
	works = "Lanekeeper is up"
)

// TestStandby starts a second process on the same database and address, and kills the first one in a conversation: the second
// one goes on. On PostgreSQL there is a third, at an address of its own: OPS-04.
func TestStandby(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lab.BridgeOptions{"SQLite": {}, "PostgreSQL": {Postgres: true}} {
		t.Run(name, func(t *testing.T) {
			if o.Postgres && testing.Short() {
				t.Skip("the same on SQLite is enough for -short runs")
			}
			k := newTalk(t, lab.WorldOptions{Shared: true, Bridge: o})
			second := k.standby(false)
			k.exchange(5)()
			if strings.Contains(second.Log(), works) {
				t.Error("the standby works beside the first process")
			}
			k.fail(second)
			if o.Postgres {
				third := k.standby(true)
				if live, ready := third.Answers("/livez"), third.Answers("/readyz"); live != 200 || ready != 503 {
					t.Errorf("a standby: /livez %d, /readyz %d", live, ready)
				}
				k.arrive(60 * time.Second)
				k.mute = true // Twilio would not find the third one
				k.fail(third)
				k.arrive(60 * time.Second)
				return
			}
			k.arrive(60 * time.Second)
		})
	}
}

// standby starts another process, which waits.
func (k *talk) standby(ownAddress bool) *lab.Bridge {
	k.t.Helper()
	b := k.Bridge.Another(ownAddress)
	if err := b.Launch(); err != nil {
		k.t.Fatal(err)
	}
	b.Until("it to wait", func() bool { return strings.Contains(b.Log(), waits) })
	return b
}

// fail kills the process that works, in a conversation, and waits for the other one.
func (k *talk) fail(other *lab.Bridge) {
	k.t.Helper()
	k.interrupt(5, func() {
		began := time.Now()
		k.Bridge.Kill9()
		other.Ready()
		k.t.Logf("taken over within %s", time.Since(began).Round(time.Millisecond))
	})
	k.Bridge = other
}

// TestLockLost cuts all connections to PostgreSQL, as its restart does, and then stops the server for a while. The process cannot
// know whether another one owns the database now: all stages end, it waits for the lock, and begins anew in the same process.
// Nothing is lost: M4, OPS-04.
func TestLockLost(t *testing.T) {
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	server := postgres.NewServer(t)
	k := newTalk(t, lab.WorldOptions{Bridge: lab.BridgeOptions{Database: server.URI}})
	db, err := sql.Open("postgres", server.URI)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pid := k.Bridge.PID()
	k.interrupt(10, func() {
		if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname=current_database() AND pid<>pg_backend_pid()"); err != nil {
			t.Error(err)
		}
		k.Bridge.Until("it to begin again", func() bool { return strings.Count(k.Bridge.Log(), works) == 2 })
		k.Bridge.Ready()
	})
	k.arrive(60 * time.Second)
	k.interrupt(10, func() {
		server.Stop()
		k.Bridge.Until("it to notice", func() bool {
			return strings.Contains(k.Bridge.Log(), "The database does not answer; waiting for it") && k.Bridge.Answers("/readyz") == 503
		})
		if live := k.Bridge.Answers("/livez"); live != 200 {
			t.Errorf("/livez %d", live)
		}
		server.Start()
		k.Bridge.Ready()
	})
	k.arrive(60 * time.Second)
	if now := k.Bridge.PID(); now != pid {
		t.Errorf("process %d is %d now", pid, now)
	}
}
