package queue

import "time"

// SetPoll changes how often loaders look for what nobody announced. A test with a
// long time shows that everything is announced.
func (q *Queue) SetPoll(d time.Duration) { q.poll = d }
