package durability_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// talk is a handoff in which Carl, in his thread, and Dana, on her phone, write to each other as fast as they can while
// something of what stands between them is killed. Each message holds a number, so that a lost, doubled or late one shows.
type talk struct {
	*lab.World
	t      *testing.T
	random *rand.Rand

	room, thread string // Carl's question
	card         lab.Event
	number       int
	ghost        string

	asked, answered int  // numbers used so far
	mute            bool // Dana does not write

	mu      sync.Mutex
	said    int           // messages that were sent, or tried
	changed chan struct{} // closed and replaced whenever said grows, or somebody is back
	away    bool          // who was killed is not back yet
}

// seedEnv repeats a run: the seed of a failed one is in its log.
const seedEnv = "LANEKEEPER_TEST_SEED"

func newRandom(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if s := os.Getenv(seedEnv); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedEnv, err)
		}
	}
	t.Logf("%s=%d repeats the random choices of this run", seedEnv, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// newTalk brings Carl's question to Dana, who takes it.
func newTalk(t *testing.T, o lab.WorldOptions) *talk {
	t.Helper()
	t.Parallel()
	o.WhatsApp, o.People = true, []string{"root", "mia", "carl", "cleo"}
	k := &talk{t: t, random: newRandom(t), World: lab.NewWorld(t, o), changed: make(chan struct{})}
	k.room = k.Project("acme", "--customer", k.ID("cleo"))["customer"]
	k.Person("cleo").WaitIn("the customer lane", k.room)
	asked := k.Must("carl", k.room, "!lane human Who can help me?")
	k.thread, k.number = asked.Command, asked.Number("handoff")
	k.card = k.Card("root", lab.HandoffCard, k.number)
	k.Phones.WaitSent(lab.Dana, "the question", "Who can help me?")
	k.Phones.Write(lab.Dana, fmt.Sprintf("#%d I do.", k.number))
	k.ghost = k.Person("carl").Wait("Dana's first words", lab.InThread(k.thread), lab.Says("I do.")).Sender
	return k
}

func (k *talk) touch(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
	close(k.changed)
	k.changed = make(chan struct{})
}

// until waits until the condition, which is asked under the lock, holds.
func (k *talk) until(condition func() bool) {
	for {
		k.mu.Lock()
		ok, changed := condition(), k.changed
		k.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-k.t.Context().Done():
			return
		}
	}
}

func (k *talk) back() bool { return !k.away }

// exchange lets both write n messages, each as fast as they are taken, and returns at once. wait waits for the end.
func (k *talk) exchange(n int) (wait func()) {
	var both sync.WaitGroup
	from, to := k.asked, k.answered
	both.Go(func() {
		for i := range n {
			k.ask(from + i + 1)
		}
	})
	k.asked += n
	if k.mute {
		return both.Wait
	}
	both.Go(func() {
		for i, refused := 0, 0; i < n; i++ {
			refused = k.answer(to+i+1, refused)
		}
	})
	k.answered += n
	return both.Wait
}

// ask sends a message of Carl's until the homeserver has it, as clients do: with the same transaction id.
func (k *talk) ask(n int) (event string) {
	carl := k.Person("carl")
	content := map[string]any{"msgtype": "m.text", "body": fmt.Sprintf("carl-%03d", n), "m.relates_to": map[string]any{
		"rel_type": "m.thread", "event_id": k.thread, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": k.thread},
	}}
	path := fmt.Sprintf("/rooms/%s/send/m.room.message/carl-%d", url.PathEscape(k.room), n)
	for {
		r := carl.Do(http.MethodPut, path, content)
		k.touch(func() { k.said++ })
		if r.OK() || k.t.Context().Err() != nil {
			return r.Field("event_id")
		}
		if r.Status != 0 && r.Status < 500 {
			k.t.Errorf("carl cannot write: %s", r)
			return ""
		}
		k.until(k.back)
	}
}

// answer writes a message of Dana's. Her phone does not know whether the bridge took it. refused counts those before that it
// did not take: after three she waits until it is back, else she had said everything before.
func (k *talk) answer(n, refused int) int {
	_, err := k.Phones.Send(lab.Dana, fmt.Sprintf("dana-%03d", n), emulator.Reply{})
	k.touch(func() { k.said++ })
	if err == nil {
		return 0
	}
	if refused++; refused == 3 {
		k.until(k.back)
		return 0
	}
	return refused
}

// interrupt lets both write n messages and, at a random moment of that, does something, during which somebody is away.
func (k *talk) interrupt(n int, do func()) {
	k.t.Helper()
	k.mu.Lock()
	at := k.said + k.random.IntN(n)
	if !k.mute {
		at += k.random.IntN(n)
	}
	k.mu.Unlock()
	wait := k.exchange(n)
	k.until(func() bool { return k.said >= at })
	k.jitter(30 * time.Millisecond)
	k.touch(func() { k.away = true })
	do()
	k.touch(func() { k.away = false })
	wait()
}

// jitter puts what follows at a random moment of the time between two messages.
func (k *talk) jitter(most time.Duration) {
	<-time.After(time.Duration(k.random.Int64N(int64(most))))
}

var numbered = regexp.MustCompile(`(carl|dana)-(\d+)`)

// numbers takes the numbers of one person's messages out of texts.
func numbers(who string, texts []string) (all []int) {
	for _, text := range texts {
		for _, m := range numbered.FindAllStringSubmatch(text, -1) {
			if n, _ := strconv.Atoi(m[2]); m[1] == who {
				all = append(all, n)
			}
		}
	}
	return all
}

// arrive waits until everything has arrived and checks that it did so once and in order: Carl's words on Dana's phone, hers
// in his thread, and both in the thread in the super-admin room.
func (k *talk) arrive(patience time.Duration) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	began := time.Now()
	defer func() { k.t.Logf("everything was there after %s", time.Since(began).Round(time.Millisecond)) }()
	phone := func() []int { return numbers("carl", sentTo(k.Phones, lab.Dana)) }
	thread := func() []int {
		return numbers("dana", bodies(k.Person("carl").Events(lab.In(k.room), lab.InThread(k.thread), lab.From(k.ghost))))
	}
	copies := func(who string) func() []int {
		return func() []int {
			return numbers(who, bodies(k.Person("root").Events(lab.In(k.card.Room), lab.InThread(k.card.ID), lab.NotEdit)))
		}
	}
	k.Phones.Wait(ctx, func([]emulator.Message) bool { return different(phone()) == k.asked })
	k.Person("carl").Until(ctx, func() bool { return different(thread()) == k.answered })
	k.Person("root").Until(ctx, func() bool {
		return different(copies("carl")()) == k.asked && different(copies("dana")()) == k.answered
	})
	for _, side := range []struct {
		what string
		got  []int
		want int
	}{
		{"Carl's messages on Dana's phone", phone(), k.asked},
		{"Dana's messages in Carl's thread", thread(), k.answered},
		{"Carl's messages in the super-admin room", copies("carl")(), k.asked},
		{"Dana's messages in the super-admin room", copies("dana")(), k.answered},
	} {
		if wrong := disorder(side.got, side.want); wrong != "" {
			k.t.Errorf("%s: %s", side.what, wrong)
		}
	}
}

func different(numbers []int) int {
	slices.Sort(numbers)
	return len(slices.Compact(numbers))
}

// disorder says what is wrong with numbers that should be 1 to n; "" if nothing is.
func disorder(got []int, n int) string {
	var wrong []string
	seen := map[int]bool{}
	last := 0
	for _, g := range got {
		switch {
		case g > n:
			wrong = append(wrong, fmt.Sprintf("%d was not sent", g))
		case seen[g]:
			wrong = append(wrong, fmt.Sprintf("%d is doubled", g))
		case g < last:
			wrong = append(wrong, fmt.Sprintf("%d comes after %d", g, last))
		}
		seen[g], last = true, max(last, g)
	}
	for i := range n {
		if !seen[i+1] {
			wrong = append(wrong, fmt.Sprintf("%d is missing", i+1))
		}
	}
	return strings.Join(wrong, ", ")
}

func sentTo(p *lab.Phones, phone string) (texts []string) {
	for _, m := range p.Sent(phone) {
		texts = append(texts, m.Body)
	}
	return texts
}

func bodies(events []lab.Event) (texts []string) {
	for _, e := range events {
		texts = append(texts, e.Body())
	}
	return slices.Clip(texts)
}
