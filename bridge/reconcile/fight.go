package reconcile

import (
	"errors"
	"sync"
	"time"
)

// Somebody may change a thing back each time that it was put right: an
// administrator's script. Each round is an event and a notice, so after some rounds
// the next ones come slower and slower, and staff hear of that instead.
const (
	fightRounds = 3                // that go without a pause
	fightPause  = 10 * time.Second // after them, doubled with each further round, at most slowRetry
	fightOver   = time.Hour        // without a round
)

var errFight = errors.New("somebody changes it back each time")

// spot is what is fought for, whatever it is changed to.
type spot struct{ id, op, typ, key, user string }

func (s Step) spot() spot { return spot{s.ID, s.Op, s.typ, s.key, s.User} }

type fight struct {
	rounds int
	last   time.Time
}

// fights remembers what was put right because of somebody's hand.
type fights struct {
	mu   sync.Mutex
	at   map[spot]fight
	told map[string]time.Time // when a step was put off last, by its key in memo.Told
}

// struck counts a round.
func (f *fights) struck(step Step, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == nil || len(f.at) >= maxLooks {
		f.at = map[spot]fight{}
	}
	have := f.at[step.spot()]
	if now.Sub(have.last) > fightOver {
		have.rounds = 0
	}
	f.at[step.spot()] = fight{have.rounds + 1, now}
}

// rounds is how many there were of a fight that is not over.
func (f *fights) rounds(step Step, now time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if have := f.at[step.spot()]; now.Sub(have.last) <= fightOver {
		return have.rounds
	}
	return 0
}

// paused reports whether the next round has to wait.
func (f *fights) paused(step Step, now time.Time) bool {
	rounds := f.rounds(step, now)
	if !step.Drift || rounds < fightRounds {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !now.Before(f.at[step.spot()].last.Add(min(fightPause<<min(rounds-fightRounds, 10), slowRetry))) {
		return false
	}
	if f.told == nil || len(f.told) >= maxLooks {
		f.told = map[string]time.Time{}
	}
	f.told[keyRefused(step.Text)] = now
	return true
}

// goesOn reports whether a step that staff were told of belongs to a fight that is
// not over, though it is not put off just now.
func (f *fights) goesOn(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, known := f.told[key]
	return known && now.Sub(last) <= fightOver
}
