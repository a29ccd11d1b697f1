package whatsapp

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Breaker is a circuit breaker for failures that only the operator can mend: of class
// Account. While it is broken nothing is sent but one message in each Every, the probe.
// A nil one never breaks. It may be used by several goroutines.
type Breaker struct {
	every time.Duration
	now   func() time.Time

	mu     sync.Mutex
	broken time.Time // zero: it is whole
	told   bool      // by a callback, after Twilio had taken the message
	next   time.Time // when the next probe may go
	kept   map[string]bool
}

// NewBreaker makes a whole one.
func NewBreaker(every time.Duration, now func() time.Time) *Breaker {
	return &Breaker{every: every, now: now, kept: map[string]bool{}}
}

// Wait returns 0 for what may be sent to a phone now, else how long to wait: until the
// next probe, or until Mend names the phone.
func (b *Breaker) Wait(phone string) time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken.IsZero() {
		return 0
	}
	now := b.now()
	wait := min(b.next.Sub(now), b.every) // the clock may have been set back
	if wait > 0 {
		b.kept[phone] = true
		return wait
	}
	b.next = now.Add(b.every)
	return 0
}

// Break notes that Twilio refuses the account; by a callback, if told.
func (b *Breaker) Break(told bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken, b.told = b.now(), told
	b.next = b.broken.Add(b.every)
}

// Resume is Break for what was broken when the process before this one ended: the first
// message is a probe.
func (b *Breaker) Resume() {
	b.Break(true)
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.next = b.broken
	}
}

// Proves reports whether a message that was begun at a time proves that the account
// works again: Twilio took it or, if told, sent it. Where a callback told that nothing
// goes, having taken one says nothing.
func (b *Breaker) Proves(begun time.Time, told bool) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.broken.IsZero() && !begun.Before(b.broken) && (told || !b.told)
}

// Mend makes it whole, and names the phones that were made to wait.
func (b *Breaker) Mend() (phones []string) {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	phones = slices.Sorted(maps.Keys(b.kept))
	b.broken, b.told, b.kept = time.Time{}, false, map[string]bool{}
	return phones
}
