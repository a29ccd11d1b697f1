package handoff

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/text"
)

// Words of which nobody knows for whom they are are kept while their agent is asked. The
// number alone, as the answer to that, sends them. Their agent reads whatever else ends
// them: nothing is lost without a word.

const (
	// KeptFor is how long words wait for their number, and how long after their end no
	// number that was offered for them counts as words.
	KeptFor = 10 * time.Minute
	// LateFor is how long the first of each number is no words after an end by time: the
	// question for it still stands on the phone.
	LateFor = 24 * time.Hour
	// KeptMost is how many characters are kept: as many as one message on WhatsApp can have.
	KeptMost = 4096
)

// Kept are words that wait for their number.
type Kept struct {
	Body    string    // "" once they are over
	SIDs    []string  // of the messages that brought them
	Until   time.Time // when their time ends; once they are over: until when no number that was offered is words
	Line    int64     // the last question for the number
	Asked   time.Time // when that was on its way to the phone as a whole; zero: it is not yet
	Offered []int64   // all numbers that were asked about
	Sent    int64     // where the words went, 0 if to nobody
}

// Waits reports whether there are words that wait for their number.
func (k *Kept) Waits() bool { return k != nil && k.Body != "" }

// Over reports whether the time of words that wait is over.
func (k *Kept) Over(at time.Time) bool { return k.Waits() && !at.Before(k.Until) }

// Begins is how the words begin, in WhatsApp's markup.
func (k *Kept) Begins() string {
	return markup.LiteralForWhatsApp(text.Excerpt(markup.FromWhatsApp(k.Body).Plain, keptLimit))
}

// keptLimit is how much of the words their agent is shown, in characters.
const keptLimit = 40

// Add puts what one more message says behind the words; false: that is too much.
func (k *Kept) Add(sid, words string, now time.Time) bool {
	all := strings.TrimSpace(words)
	switch {
	case k.Waits():
		all = k.Body + "\n" + all
		if utf8.RuneCountInString(all) > KeptMost {
			return false
		}
	case !now.Before(k.Until):
		k.Offered = nil
	}
	k.Body, k.SIDs, k.Until, k.Sent = all, append(k.SIDs, sid), now.Add(KeptFor), 0
	return true
}

// Offer notes that a line asks for one of some numbers. Those of earlier ones stay
// offered: they stand on the phone, too.
func (k *Kept) Offer(line int64, numbers []int64) {
	k.Line, k.Asked = line, time.Time{}
	k.Offered = append(k.Offered, numbers...)
	slices.Sort(k.Offered)
	k.Offered = slices.Compact(k.Offered)
}

// End ends the words; sent is where they went, 0 if to nobody.
func (k *Kept) End(sent int64, until time.Time) {
	k.Body, k.SIDs, k.Sent, k.Until = "", nil, sent, until
}

// Spend notes that an agent has read that a number means nothing any more; changed: the
// next one is theirs. Where the words were sent a repeated number is a slip for longer.
func (k *Kept) Spend(n int64) (changed bool) {
	if k.Sent != 0 {
		return false
	}
	k.Offered = slices.DeleteFunc(k.Offered, func(o int64) bool { return o == n })
	return true
}

// Meaning is what a message says about words that are kept.
type Meaning string

const (
	Aside   Meaning = "aside"   // nothing: it goes its own way
	Chooses Meaning = "chooses" // the number that they are for
	Early   Meaning = "early"   // a number that may have been written before the question for it was read
	Astray  Meaning = "astray"  // a number that was not offered
	Spent   Meaning = "spent"   // a number that was offered for words that are over
)

// Read tells what a message says about words that are kept, by the number that it is.
func (k *Kept) Read(in Incoming) (Meaning, int64) {
	n, ok := alone(in)
	if k == nil || !ok || !in.At.Before(k.Until) {
		return Aside, 0
	}
	offered := slices.Contains(k.Offered, n)
	switch {
	case !k.Waits() && offered:
		return Spent, n
	case !k.Waits():
		return Aside, 0
	case !offered:
		return Astray, n
	case in.Listed || k.Asked.IsZero() || !in.At.After(k.Asked):
		return Early, n
	}
	return Chooses, n
}

// bareNumber is a number and nothing else, as agents write it.
var bareNumber = regexp.MustCompile(`^(?:#|` + asNumber + `)?\s*(\d{1,18})$`)

// number reads words that are nothing but a number; 0: they are not.
func number(body string) int64 {
	m := bareNumber.FindStringSubmatch(strings.ReplaceAll(folded(body), string(keycap), ""))
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	return n
}

// alone reads a message that is nothing but a number. Quoting the question for it, or the
// words themselves, it is that still.
func alone(in Incoming) (n int64, ok bool) {
	if in.Button != "" || in.File || in.Opening || in.Quotes && !in.QuotesKept {
		return 0, false
	}
	n = number(in.Body)
	return n, n > 0
}

// Keeps reports whether a message that has to be asked about is an answer as it stands:
// words, and no number, word or quote that could mean something else.
func (d *Desk) Keeps(in Incoming) bool {
	body := strings.TrimSpace(in.Body)
	if in.File || in.Opening || in.Button != "" || in.Quoted != 0 || markup.Empty(body) {
		return false
	}
	verb, _, doubtful := d.spelled(body)
	head := leading(body)
	return verb == "" && !doubtful && !head.unsure && head.number == 0 && number(body) == 0 && !likeTag.MatchString(folded(body))
}

// Bars says why words that are kept cannot go to a handoff at this moment; "" if they can.
func (d *Desk) Bars(n int64, h *Handoff, a *Agent) string {
	switch {
	case h == nil, h.Leaves && !h.Reaches():
		return text.NoSuchForAgent(n)
	case !h.Reaches():
		return text.StaysInMatrixForAgent(n)
	case h.State == Closed:
		return text.IsClosedForAgent(n)
	case h.State == Taken && !d.Orphan(h) && !d.OwnsByPhone(h, a.Phone):
		return text.IsOwnedForAgent(n, h.Owner.Name)
	case d.Absent == Removed:
		return text.IsRemovedForAgent(n)
	}
	return ""
}
