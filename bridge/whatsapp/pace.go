package whatsapp

import (
	"sync"
	"time"
)

// Pace keeps to WhatsApp's limit for one pair of sender and phone (one message
// in 6 seconds on average, https://www.twilio.com/docs/api/errors/63018): Burst
// messages at once, then one per Every. It may be used by several goroutines.
type Pace struct {
	burst int
	every time.Duration
	now   func() time.Time

	mu   sync.Mutex
	full map[string]time.Time // when the phone's whole burst is there again
}

// NewPace makes a Pace; a burst below 1 counts as 1, no time between messages as
// no limit.
func NewPace(burst int, every time.Duration, now func() time.Time) *Pace {
	return &Pace{burst: max(burst, 1), every: max(every, 0), now: now, full: map[string]time.Time{}}
}

// Take counts one message to a phone and returns 0, or, where it is too early,
// counts nothing and returns how long to wait.
func (p *Pace) Take(phone string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	full := p.full[phone]
	if full.After(now.Add(time.Duration(p.burst) * p.every)) { // the clock was set back
		full = now.Add(time.Duration(p.burst-1) * p.every)
	}
	if full.Before(now) {
		full = now
	}
	// The burst is used up while more than burst-1 messages are to be made good.
	if wait := full.Sub(now) - time.Duration(p.burst-1)*p.every; wait > 0 {
		return wait
	}
	p.forget(now)
	p.full[phone] = full.Add(p.every)
	return 0
}

// forget drops phones that have their whole burst again, so that the map holds
// no more than those that were written to lately.
func (p *Pace) forget(now time.Time) {
	if len(p.full) < 1024 {
		return
	}
	for phone, full := range p.full {
		if !full.After(now) {
			delete(p.full, phone)
		}
	}
}
