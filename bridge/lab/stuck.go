package lab

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // driver "sqlite"
)

// stuck is what a bridge is at when its test has failed: the work that waits, and where its goroutines stand. It ends the bridge.
func (b *Bridge) stuck() string {
	work := b.waiting()
	p := b.process()
	if !p.running() {
		return work + "it does not run"
	}
	before := len(b.Log())
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGQUIT) // the Go runtime prints all goroutines then
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
	}
	var ours []string
	for _, goroutine := range strings.Split(b.Log()[before:], "\n\n") {
		if strings.Contains(goroutine, "lanekeeper/") {
			ours = append(ours, goroutine)
		}
	}
	return work + strings.Join(ours[:min(len(ours), 60)], "\n\n")
}

// waiting lists jobs that are not done, the oldest first, and those that were given up.
func (b *Bridge) waiting() string {
	driver, uri := "sqlite", "file:"+b.Database+"?mode=ro"
	if b.DatabaseType == "postgres" {
		driver, uri = "postgres", b.Database
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	db, err := sql.Open(driver, uri)
	if err != nil {
		return err.Error() + "\n"
	}
	defer func() { _ = db.Close() }()
	var out strings.Builder
	out.WriteString("queue, key, state (0 ready, 1 timer, 2 tried, -1 given up), attempts, created, due:\n")
	for _, query := range []string{
		"SELECT queue, key, state, attempts, created, at FROM job WHERE id>0 ORDER BY id LIMIT 30",
		"SELECT queue, key, -1, attempts, created, parked FROM parked WHERE id>0 ORDER BY id LIMIT 30",
	} {
		if err := list(ctx, db, query, &out); err != nil {
			out.WriteString(err.Error() + "\n")
		}
	}
	return out.String()
}

func list(ctx context.Context, db *sql.DB, query string, out *strings.Builder) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	clock := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.TimeOnly) }
	for rows.Next() {
		var queue, key string
		var state, attempts, created, at int64
		if err := rows.Scan(&queue, &key, &state, &attempts, &created, &at); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s %s %d %d %s %s\n", queue, key, state, attempts, clock(created), clock(at))
	}
	return rows.Err()
}
