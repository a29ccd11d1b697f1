package handoff_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/handoff"
)

// What a message says about words that are kept: a number alone, that was offered, and
// written after the question for it was out, chooses. Nothing else does.
func TestReadKept(t *testing.T) {
	asked := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	kept := func(change ...func(*handoff.Kept)) *handoff.Kept {
		k := &handoff.Kept{Body: "Tomorrow", SIDs: []string{"SM1"}, Until: asked.Add(handoff.KeptFor), Asked: asked, Offered: []int64{2, 12}}
		for _, c := range change {
			c(k)
		}
		return k
	}
	sent := kept(func(k *handoff.Kept) { k.End(12, asked.Add(handoff.KeptFor)) })
	unasked := kept(func(k *handoff.Kept) { k.Asked = time.Time{} })
	soon := asked.Add(time.Second)
	for name, c := range map[string]struct {
		kept *handoff.Kept
		in   handoff.Incoming
		want handoff.Meaning
		n    int64
	}{
		"the number":             {kept(), handoff.Incoming{Body: "12", At: soon}, handoff.Chooses, 12},
		"with its sign":          {kept(), handoff.Incoming{Body: "*#12*", At: soon}, handoff.Chooses, 12},
		"of keys":                {kept(), handoff.Incoming{Body: "2️⃣", At: soon}, handoff.Chooses, 2},
		"quoting the question":   {kept(), handoff.Incoming{Body: "2", At: soon, Quotes: true, QuotesKept: true}, handoff.Chooses, 2},
		"quoting something":      {kept(), handoff.Incoming{Body: "2", At: soon, Quotes: true}, handoff.Aside, 0},
		"quoting a handoff":      {kept(), handoff.Incoming{Body: "2", At: soon, Quotes: true, Quoted: 2}, handoff.Aside, 0},
		"with a file":            {kept(), handoff.Incoming{Body: "2", At: soon, File: true}, handoff.Aside, 0},
		"a button":               {kept(), handoff.Incoming{Body: "2", At: soon, Button: "take:2"}, handoff.Aside, 0},
		"that opens the window":  {kept(), handoff.Incoming{Body: "2", At: soon, Opening: true}, handoff.Aside, 0},
		"with words":             {kept(), handoff.Incoming{Body: "2 or so", At: soon}, handoff.Aside, 0},
		"before the question":    {kept(), handoff.Incoming{Body: "12", At: asked}, handoff.Early, 12},
		"before it was sent":     {unasked, handoff.Incoming{Body: "12", At: soon}, handoff.Early, 12},
		"found by listing":       {kept(), handoff.Incoming{Body: "12", At: soon, Listed: true}, handoff.Early, 12},
		"another":                {kept(), handoff.Incoming{Body: "99", At: soon}, handoff.Astray, 99},
		"too late":               {kept(), handoff.Incoming{Body: "12", At: asked.Add(handoff.KeptFor)}, handoff.Aside, 0},
		"again":                  {sent, handoff.Incoming{Body: "12", At: soon}, handoff.Spent, 12},
		"the other one, sent":    {sent, handoff.Incoming{Body: "2", At: soon}, handoff.Spent, 2},
		"one never asked about":  {sent, handoff.Incoming{Body: "3", At: soon}, handoff.Aside, 0},
		"again, by listing":      {sent, handoff.Incoming{Body: "12", At: soon, Listed: true}, handoff.Spent, 12},
		"a good while after":     {sent, handoff.Incoming{Body: "12", At: asked.Add(handoff.KeptFor)}, handoff.Aside, 0},
		"where nothing was kept": {nil, handoff.Incoming{Body: "12", At: soon}, handoff.Aside, 0},
	} {
		if got, n := c.kept.Read(c.in); got != c.want || n != c.n {
			t.Errorf("%s: %s %d, not %s %d", name, got, n, c.want, c.n)
		}
	}
}

// Words are kept in order, up to a limit, and each of them from then on for a while.
func TestAddKept(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	k := &handoff.Kept{}
	for i, words := range []string{" Hello ", strings.Repeat("ä", 4000)} {
		if !k.Add("SM"+string(rune('1'+i)), words, now) {
			t.Fatalf("%d characters are not kept", len([]rune(words)))
		}
	}
	k.Offer(7, []int64{12, 2})
	k.Offer(8, []int64{3, 2})
	if k.Add("SM3", strings.Repeat("b", 100), now.Add(time.Minute)) {
		t.Error("more is kept than one message can have")
	}
	if k.Body != "Hello\n"+strings.Repeat("ä", 4000) || !slices.Equal(k.SIDs, []string{"SM1", "SM2"}) || !k.Until.Equal(now.Add(handoff.KeptFor)) || !slices.Equal(k.Offered, []int64{2, 3, 12}) {
		t.Errorf("kept: %+v", k)
	}
	if k.Over(now) || !k.Over(now.Add(handoff.KeptFor)) {
		t.Error("its time is not ten minutes")
	}
	k.End(2, now.Add(handoff.KeptFor))
	if k.Waits() || k.Over(now.Add(handoff.LateFor)) {
		t.Errorf("it is over: %+v", k)
	}
	k.Add("SM4", "new", now.Add(handoff.LateFor))
	if k.Body != "new" || len(k.Offered) != 0 || k.Sent != 0 {
		t.Errorf("kept anew: %+v", k)
	}
}
