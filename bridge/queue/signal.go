package queue

import (
	"math"
	"sync"
)

// maxWakes bounds the keys remembered for Wake; beyond it all keys are woken.
const maxWakes = 10_000

// never is a time that does not come.
const never = math.MaxInt64

// signals is what wakes the loader of one queue.
type signals struct {
	poked chan struct{} // holds one: pokes are coalesced

	mu      sync.Mutex
	running bool  // a Run has this queue
	due     int64 // when the next timer or head may be due, Unix ms
	wakes   map[string]struct{}
	wakeAll bool
}

func newSignals() *signals {
	return &signals{poked: make(chan struct{}, 1), wakes: make(map[string]struct{}), due: never}
}

// start marks the queue as running; false: it runs already.
func (s *signals) start() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return false
	}
	s.running = true
	return true
}

func (s *signals) stop() {
	s.mu.Lock()
	s.running = false
	s.mu.Unlock()
}

// poke makes the loader look for new jobs.
func (s *signals) poke() {
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

// dueAt tells that a timer or head is due at a time in Unix ms.
func (s *signals) dueAt(at int64) {
	s.mu.Lock()
	s.due = min(s.due, at)
	s.mu.Unlock()
}

// nextDue says when the next timer or head may be due.
func (s *signals) nextDue() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due
}

// takeDue says when the next timer or head may be due and, if that is now,
// forgets it: the caller looks and tells the next time with dueAt.
func (s *signals) takeDue(now int64) (due int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due = s.due
	if due <= now {
		s.due = never
	}
	return due
}

func (s *signals) wake(key string) {
	s.mu.Lock()
	if len(s.wakes) < maxWakes {
		s.wakes[key] = struct{}{}
	} else {
		s.wakeAll = true
	}
	s.mu.Unlock()
	s.poke()
}

// wakeEach wakes all keys.
func (s *signals) wakeEach() {
	s.mu.Lock()
	s.wakeAll = true
	s.mu.Unlock()
	s.poke()
}

// takeWakes gives the keys to wake, or all.
func (s *signals) takeWakes() (keys []string, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.wakes {
		keys = append(keys, key)
	}
	clear(s.wakes)
	all, s.wakeAll = s.wakeAll, false
	return keys, all
}
