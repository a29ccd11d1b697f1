package whatsapp

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMerge(t *testing.T) {
	for _, c := range []struct{ old, news, want string }{
		{"", "queued", "queued"},
		{"queued", "sent", "sent"},
		{"accepted", "queued", "accepted"},
		{"delivered", "sent", "delivered"},
		{"sent", "read", "read"},
		{"read", "delivered", "read"},
		{"sent", "failed", "failed"},
		{"failed", "sent", "failed"},
		{"failed", "undelivered", "failed"},
		{"undelivered", "failed", "undelivered"},
		{"delivered", "failed", "delivered"},
		{"read", "undelivered", "read"},
		{"failed", "delivered", "delivered"},
		{"sent", "something new", "sent"},
		{"sent", "", "sent"},
	} {
		if got := Merge(c.old, c.news); got != c.want {
			t.Errorf("%q then %q is %q, want %q", c.old, c.news, got, c.want)
		}
	}
}

// Callbacks in any order, however often, end in the same rank.
func TestMergeInAnyOrder(t *testing.T) {
	statuses := []string{"accepted", "queued", "sending", "sent", "delivered", "read", "failed", "undelivered", "new"}
	rapid.Check(t, func(t *rapid.T) {
		news := rapid.SliceOf(rapid.SampledFrom(statuses)).Draw(t, "news")
		other := rapid.Permutation(append(news, news...)).Draw(t, "other")
		a, b := "", ""
		for _, s := range news {
			a = Merge(a, s)
		}
		for _, s := range other {
			b = Merge(b, s)
		}
		if Rank(a) != Rank(b) {
			t.Errorf("%v gives %q, %v gives %q", news, a, other, b)
		}
	})
}

func TestSameNumber(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"+4915112345678", "whatsapp:+4915112345678", true},
		{"+49 151 (123) 456-78", "+4915112345678", true},
		{"+4915112345678", "+4915112345679", false},
		{"+5511987654321", "+551187654321", true},  // Brazil, ninth digit
		{"+5511923456789", "+551123456789", false}, // a landline is another phone
		{"+5215512345678", "+525512345678", true},  // Mexico
		{"+5491123456789", "+541123456789", true},  // Argentina
		{"", "", false},
		{"US.", "", false},
	} {
		if got := SameNumber(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
		if got := SameNumber(c.b, c.a); got != c.want {
			t.Errorf("%s and %s: %v", c.b, c.a, got)
		}
	}
}

func TestPace(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	p := NewPace(3, 6*time.Second, func() time.Time { return now })
	take := func(phone string, want time.Duration) {
		t.Helper()
		if got := p.Take(phone); got != want {
			t.Errorf("wait %v, want %v", got, want)
		}
	}
	for range 3 {
		take("a", 0)
	}
	take("a", 6*time.Second)
	take("a", 6*time.Second) // asking costs nothing
	take("b", 0)
	now = now.Add(4 * time.Second)
	take("a", 2*time.Second)
	now = now.Add(2 * time.Second)
	take("a", 0)
	take("a", 6*time.Second)
	now = now.Add(time.Hour) // no more than the burst is saved
	for range 3 {
		take("a", 0)
	}
	take("a", 6*time.Second)
}

// In any stretch of time no phone gets more than the burst and one per interval.
func TestPaceHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		now, burst, every := start, rapid.IntRange(1, 5).Draw(t, "burst"), 6*time.Second
		p := NewPace(burst, every, func() time.Time { return now })
		var sent []time.Time
		for _, gap := range rapid.SliceOf(rapid.IntRange(0, 20)).Draw(t, "gaps") {
			now = now.Add(time.Duration(gap) * time.Second)
			wait := p.Take("a")
			if wait > 0 { // what it says is right
				now = now.Add(wait)
				if again := p.Take("a"); again != 0 {
					t.Fatalf("waited %v, then %v", wait, again)
				}
			}
			sent = append(sent, now)
		}
		for i := range sent {
			for j := i; j < len(sent); j++ {
				if n, most := j-i+1, burst+int(sent[j].Sub(sent[i])/every); n > most {
					t.Fatalf("%d messages in %v", n, sent[j].Sub(sent[i]))
				}
			}
		}
	})
}

func TestPaceForgets(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	p := NewPace(1, time.Second, func() time.Time { return now })
	for i := range 5000 {
		p.Take(string(rune('a' + i)))
		now = now.Add(time.Second)
	}
	if len(p.full) > 1024 {
		t.Errorf("%d phones are kept", len(p.full))
	}
}
