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
	rows, err := db.QueryContext(ctx, `SELECT queue, key, state, attempts, created, at FROM job
		UNION ALL SELECT queue, key, -1, attempts, created, parked FROM parked ORDER BY 5 LIMIT 40`)
	if err != nil {
		return err.Error() + "\n"
	}
	defer func() { _ = rows.Close() }()
	var out strings.Builder
	out.WriteString("queue, key, state (0 ready, 1 timer, 2 tried, -1 given up), attempts, created, due:\n")
	for rows.Next() {
		var queue, key string
		var state, attempts, created, at int64
		if err := rows.Scan(&queue, &key, &state, &attempts, &created, &at); err != nil {
			return err.Error() + "\n"
		}
		fmt.Fprintf(&out, "  %s %s %d %d %s %s\n", queue, key, state, attempts, time.UnixMilli(created).UTC().Format(time.TimeOnly), time.UnixMilli(at).UTC().Format(time.TimeOnly))
	}
	if err := rows.Err(); err != nil {
		out.WriteString(err.Error() + "\n")
	}
	return out.String()
}
