package matrix_test

import (
	"net/http"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/matrix"
)

// MSG-02: what was sent, once, stays sent once over every end of the homeserver and of ourselves.
func TestRestart(t *testing.T) {
	eachServer(t, func(t *testing.T, l *site) {
		ghost := l.ghost(t)
		room := l.room(t, ghost)
		since := l.after(t, room)
		began := time.Now()
		sent := map[string]string{} // user → event
		txn := map[string]string{"": l.unique("txn"), ghost: l.unique("txn")}
		send := func(c *matrix.Client, as string) string {
			t.Helper()
			event, err := c.Send(t.Context(), as, room, "m.room.message", txn[as], text("once"))
			if err != nil {
				t.Fatal(err)
			}
			return event
		}
		for as := range txn {
			sent[as] = send(l.Client, as)
		}
		l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(sent[ghost])) != nil })

		for name, end := range map[string]func(){"stop": l.hs.Stop, "kill -9": l.hs.Kill9} {
			end()
			_, err := l.Send(t.Context(), "", room, "m.room.message", l.unique("txn"), text("while it is away"))
			if err == nil || !matrix.Temporary(err) {
				t.Errorf("%s: sending while it is away: %v", name, err)
			}
			l.hs.Start()
			l.repeated(t, name, room, ghost, began, txn, sent, send)
		}
		if found, err := l.FindSent(t.Context(), room, "never sent", began); found != "" || err != nil {
			t.Errorf("found what was never sent: %q, %v", found, err)
		}
		// The token of before still brings what came after it.
		l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(sent[""])) != nil })
	})
}

// repeated checks that nothing is doubled after a restart: where the homeserver keeps transaction ids by sending again, also
// from a new process of ours; elsewhere by looking first.
func (l *site) repeated(t *testing.T, name, room, ghost string, began time.Time, txn, sent map[string]string, send func(*matrix.Client, string) string) {
	t.Helper()
	fresh := newClient(t, l.hs.URL, l.hs.Domain)
	caps, err := fresh.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for as, want := range sent {
		if caps.Devices {
			if err := fresh.EnsureGhost(t.Context(), ghost, "Dana"); err != nil {
				t.Fatal(err)
			}
			if got := send(l.Client, as); got != want {
				t.Errorf("%s: sent again by %q as %s", name, as, got)
			}
			if got := send(fresh, as); got != want {
				t.Errorf("%s: sent again by %q, from a new process, as %s", name, as, got)
			}
			continue
		}
		if found, err := fresh.FindSent(t.Context(), room, txn[as], began); found != want || err != nil {
			t.Errorf("%s: found %q instead of what %q sent: %v", name, found, as, err)
		}
	}
}

// A mark that somebody else writes is not ours.
func TestForgedMark(t *testing.T) {
	l := dendrite(t)
	carl := l.hs.Register("carl")
	room := l.room(t)
	if err := l.Invite(t.Context(), room, carl.ID, ""); err != nil {
		t.Fatal(err)
	}
	if r := carl.Join(room); !r.OK() {
		t.Fatal(r)
	}
	began, since := time.Now(), l.after(t, room)
	forged := carl.Send(room, "m.room.message", map[string]any{"msgtype": "m.text", "body": "x", "lanekeeper.txn": "txn-7"})
	l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(forged)) != nil })
	if found, err := l.FindSent(t.Context(), room, "txn-7", began); found != "" || err != nil {
		t.Errorf("found %q, %v", found, err)
	}
}

// A device that somebody deleted is made again, after one failure that counts as temporary.
func TestDeviceGone(t *testing.T) {
	l := synapse(t)
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	for _, user := range []string{l.Bot(), ghost} {
		admin := lab.As(t, l.hs.URL, user, "as-secret")
		if r := admin.Do(http.MethodDelete, "/devices/LANEKEEPER", nil); !r.OK() {
			t.Fatal(r)
		}
		_, err := l.Send(t.Context(), user, room, "m.room.message", l.unique("txn"), text("x"))
		if !matrix.IsCode(err, "M_UNKNOWN_DEVICE") || !matrix.Temporary(err) {
			t.Errorf("%s: %v", user, err)
		}
		if err := l.EnsureGhost(t.Context(), ghost, "Dana"); err != nil {
			t.Fatal(err)
		}
		l.say(t, user, room, "again")
	}
}
