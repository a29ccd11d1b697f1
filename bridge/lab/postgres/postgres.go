// Package postgres starts a PostgreSQL server of its own, which goes with the process, and gives fresh databases on it.
package postgres

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/lib/pq"

	"lanekeeper/bridge/lab/port"
)

// ServerEnv names the environment variable with the URI of a PostgreSQL server
// where tests may create databases. Without it a server is started.
const ServerEnv = "LANEKEEPER_TEST_POSTGRES"

var (
	databases atomic.Int64
	server    = sync.OnceValues(startPostgres)
)

// running is a server.
type running struct {
	uri      string
	lifeline io.WriteCloser // it lives as long as this is open
}

// T is what is needed of a test, or of whoever else wants a database.
type T interface {
	Helper()
	Cleanup(func())
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Database gives the URI of a fresh PostgreSQL database that goes with the test.
// Without PostgreSQL the test is skipped, or fails where CI is set.
func Database(t T) string {
	t.Helper()
	r, err := running{uri: os.Getenv(ServerEnv)}, error(nil)
	if r.uri == "" {
		r, err = server()
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("NOT TESTED ON POSTGRESQL: %v (set %s, or install the server)", err, ServerEnv)
	} else if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("lanekeeper_test_%d_%d", os.Getpid(), databases.Add(1))
	admin(t, r.uri, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, r.uri, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u, err := url.Parse(r.uri)
	if err != nil {
		t.Fatalf("PostgreSQL URI: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

func admin(t T, uri, statement string) {
	t.Helper()
	db, err := sql.Open("postgres", uri)
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("PostgreSQL: %s: %v", statement, err)
	}
}

// Server is one that a test has to itself, so that it can be stopped and started.
type Server struct {
	URI string // of a database there

	t T
	running
}

// NewServer starts a server that goes with the test. Without PostgreSQL the test is
// skipped, or fails where CI is set.
func NewServer(t T) *Server {
	t.Helper()
	r, err := startPostgres()
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
	} else if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	t.Cleanup(func() { _ = r.lifeline.Close() })
	return &Server{URI: r.uri, t: t, running: r}
}

// Stop ends the server and all connections to it.
func (s *Server) Stop() { s.say("stop") }

// Start starts it again.
func (s *Server) Start() {
	s.t.Helper()
	s.say("start")
	if err := awaitPostgres(s.uri); err != nil {
		s.t.Fatalf("PostgreSQL: %v", err)
	}
}

func (s *Server) say(word string) {
	s.t.Helper()
	if _, err := io.WriteString(s.lifeline, word+"\n"); err != nil {
		s.t.Fatalf("PostgreSQL: %s: %v", word, err)
	}
}

// watch runs the server until its standard input ends, that is until the test
// binary is gone for whatever reason, and takes the data away. What it reads stops
// and starts the server.
const watch = `start() {
	"$1"/postgres -D "$2"/data -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
		-c max_connections=200 -c fsync="$4" >>"$2"/log 2>&1 </dev/null & pid=$!
}
start "$@"
while read -r word; do
	case $word in stop) kill -INT $pid; wait $pid;; start) start "$@";; esac
done
kill -INT $pid; wait $pid; rm -rf "$2"`

// startPostgres starts a server for this test binary and gives its URI.
func startPostgres() (r running, err error) {
	bin, err := findPostgres()
	if err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "lanekeeper-postgres-")
	if err != nil {
		return r, err
	}
	attr, err := ordinaryUser(dir)
	if err != nil {
		return r, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"),
		"-U", "lanekeeper", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return r, fmt.Errorf("initdb: %w: %s", err, out)
	}
	free, err := port.Free()
	if err != nil {
		return r, err
	}
	cmd := exec.Command("sh", "-c", watch, "sh", bin, dir, strconv.Itoa(free), fsync())
	cmd.SysProcAttr, cmd.Dir = attr, dir
	if r.lifeline, err = cmd.StdinPipe(); err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	r.uri = fmt.Sprintf("postgres://lanekeeper@127.0.0.1:%d/postgres?sslmode=disable", free)
	if err := awaitPostgres(r.uri); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return r, fmt.Errorf("%w: %s", err, log)
	}
	return r, nil
}

// fsync: tests do not lose power; benchmarks pay for durability.
func fsync() string {
	if bench := flag.Lookup("test.bench"); bench != nil && bench.Value.String() != "" {
		return "on"
	}
	return "off"
}

// findPostgres gives the directory of the server's programs.
func findPostgres() (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		if _, err := os.Stat(filepath.Join(dirs[i], "initdb")); err == nil {
			return dirs[i], nil
		}
	}
	return "", errors.New("neither initdb nor postgres found")
}

// ordinaryUser gives dir to a user other than root, as which PostgreSQL does not
// run.
func ordinaryUser(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C goes to us, then the pipe closes
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("no user to run as: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

func awaitPostgres(uri string) error {
	db, err := sql.Open("postgres", uri)
	if err != nil {
		return err
	}
	defer db.Close()
	deadline := time.After(90 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-deadline:
			return fmt.Errorf("server does not start: %w", err)
		case <-tick.C:
		}
	}
}
