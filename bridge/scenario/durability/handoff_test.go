package durability_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// TestKilledInHandoff kills the bridge with kill -9 before and after a sample of its writes to the homeserver while a question is
// asked, answered by an agent whose ghost has to come in first, and closed. Each word arrives once: MSG-02, HAND-03.
func TestKilledInHandoff(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	t.Parallel()
	random := newRandom(t)
	w := lab.NewWorld(t, lab.WorldOptions{Shared: true, Proxy: true, WhatsApp: true, People: []string{"root", "mia", "carl"}})
	w.Direct("root")
	carl := w.Person("carl")
	kills := labtest.KillPoints(t, w, labtest.Kills{Share: 2, Choose: func() bool { return random.IntN(3) == 0 }}, func(t *testing.T, run int) {
		lane := w.Project(fmt.Sprintf("run%d", run))["customer"]
		asked := w.Must("carl", lane, fmt.Sprintf("!lane human Is run%d safe?", run))
		n := asked.Number("handoff")
		once(t, w, lab.Dana, fmt.Sprintf("Is run%d safe?", run))
		w.Phones.Write(lab.Dana, fmt.Sprintf("#%d It is, run%d.", n, run))
		answer := lab.Says(fmt.Sprintf("It is, run%d.", run))
		carl.Wait("the answer", lab.InThread(asked.Command), answer)
		carl.InThread(lane, asked.Command, fmt.Sprintf("Thanks, run%d!", run))
		once(t, w, lab.Dana, fmt.Sprintf("Thanks, run%d!", run))
		w.Phones.Write(lab.Dana, fmt.Sprintf("done %d", n))
		w.WaitCard("root", lab.HandoffCard, n, "closed")
		carl.Wait("that it is closed", lab.InThread(asked.Command), lab.Says("marked this as answered"))
		if all := carl.Events(lab.InThread(asked.Command), lab.NotEdit); len(all) != 4 {
			for _, e := range all {
				t.Logf("%s: %s", e.Sender, e.Body())
			}
			t.Errorf("%d messages in the thread, not a notice, an answer, thanks and the end", len(all))
		}
		if all := w.Person("root").Events(lab.From(w.Bot()), lab.NotEdit, answer); len(all) != 1 {
			t.Errorf("staff read the answer %d times", len(all))
		}
	})
	t.Logf("%d kills", kills)
}

// once waits until a phone got some words, and checks that it did so once. A message whose outcome is unknown is looked for, for half a
// minute, before it is sent again.
func once(t *testing.T, w *lab.World, phone, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience+45*time.Second)
	defer cancel()
	w.Phones.Wait(ctx, func(all []emulator.Message) bool {
		for _, m := range all {
			if !m.Inbound && m.Phone == phone && strings.Contains(m.Body, words) {
				return true
			}
		}
		return false
	})
	if n := w.Phones.Count(phone, words); n != 1 {
		t.Errorf("%q came %d times", words, n)
	}
}
