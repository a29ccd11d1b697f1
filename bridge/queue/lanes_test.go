package queue

import (
	"fmt"
	"testing"
)

// D20: how many lanes are held in memory does not grow with the keys that are woken at once.
func TestLanesAreBounded(t *testing.T) {
	l := newLanes(bounds{jobs: 8, bytes: 1 << 20, lane: 4, page: 8})
	taken, most := 0, 0
	for try := 0; taken < 1000; try++ {
		if try > 10_000 {
			t.Fatal("no more is taken in")
		}
		l.begin()
		for l.offer(&Job{ID: int64(taken + 1), Key: fmt.Sprint("key", taken)}, stateHead) {
			taken++
			for job := l.next(); job != nil; job = l.next() {
				l.done(job)
			}
			most = max(most, len(l.byKey))
			if taken == 1000 {
				break
			}
		}
		l.end()
		l.begin()
		l.refilled(l.takeRefill(), nil)
		l.end()
	}
	if most > 2*l.bounds.jobs {
		t.Errorf("%d lanes", most)
	}
}
