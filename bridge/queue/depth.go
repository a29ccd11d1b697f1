package queue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// depthLimit bounds what Depth counts for each queue.
const depthLimit = 10_000

// Stat is how much waits in a queue. Timers that are not due do not count.
type Stat struct {
	Count  int       // exact up to 10,000, at most 20,000
	Oldest time.Time // when the oldest of those was put; zero: nothing waits
}

const depthQuery = `SELECT COUNT(*), COALESCE(MIN(created), 0) FROM (
	SELECT * FROM (SELECT created FROM job WHERE queue=$1 AND state=0 ORDER BY id LIMIT $2) ready
	UNION ALL
	SELECT * FROM (SELECT created FROM job WHERE queue=$1 AND state=2 LIMIT $2) heads) waiting`

// Depth tells how much waits in the queues that this process put to or runs, for
// metrics. Its cost is bounded; a backlog of 10,000 or more counts as that.
func (q *Queue) Depth(ctx context.Context) (map[string]Stat, error) {
	q.mu.Lock()
	names := slices.Sorted(maps.Keys(q.signals))
	q.mu.Unlock()
	stats := make(map[string]Stat, len(names))
	for _, name := range names {
		var stat Stat
		var oldest int64
		if err := q.db.QueryRow(ctx, depthQuery, name, depthLimit).Scan(&stat.Count, &oldest); err != nil {
			return nil, fmt.Errorf("queue: depth of %s: %w", name, err)
		}
		if oldest > 0 {
			stat.Oldest = time.UnixMilli(oldest)
		}
		stats[name] = stat
	}
	return stats, nil
}
