package matrix_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/matrix"
)

// Everything that needs no restart, on one homeserver of each kind.
func TestHomeserver(t *testing.T) {
	eachServer(t, func(t *testing.T, l *site) {
		for _, test := range []struct {
			name string
			run  func(*testing.T, *site)
		}{
			{"capabilities", capabilities}, {"identity", identity}, {"profile", profile}, {"sync", syncing}, {"redaction", redaction},
			{"invitation", invitation}, {"rooms", rooms}, {"leftover alias", leftoverAlias}, {"membership", membership}, {"state", state},
			{"transaction ids", transactionIDs}, {"refusals", refusals}, {"ping", ping}, {"gap", gap}, {"crowd", crowd},
		} {
			t.Run(test.name, func(t *testing.T) { test.run(t, l) })
		}
	})
}

func capabilities(t *testing.T, l *site) {
	caps, err := l.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	synapse := l.hs.Kind == lab.KindSynapse
	if caps.Devices != synapse || caps.Ping != synapse || strings.HasPrefix(caps.Software, "Synapse/") != synapse {
		t.Errorf("%+v", caps)
	}
	if caps.MaxUpload != 50<<20 || caps.RoomVersion() != "12" || caps.DefaultRoomVersion == "" || !slices.Contains(caps.SpecVersions, "v1.2") {
		t.Errorf("%+v", caps)
	}
	if got := strings.Join(caps.RoomVersions, " "); got != "1 2 3 4 5 6 7 8 9 10 11 12" {
		t.Errorf("room versions %s", got)
	}
}

// The bot and its ghosts stand after the first call; the second writes nothing.
func identity(t *testing.T, l *site) {
	ctx := t.Context()
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	since := l.after(t, room)
	again := newClient(t, l.hs.URL, l.hs.Domain) // remembers nothing
	for range 2 {
		if err := again.EnsureBot(ctx); err != nil {
			t.Fatal(err)
		}
		if err := again.EnsureGhost(ctx, ghost, "Dana"); err != nil {
			t.Fatal(err)
		}
	}
	last := l.say(t, "", room, "nothing before this")
	b := l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(last)) != nil })
	if n := len(b.Joined[room].Timeline); n != 1 {
		t.Errorf("%d events: %s", n, b.Joined[room].Timeline)
	}
	if name, err := l.Profile(ctx, l.Bot()); name != "Lanekeeper" || err != nil {
		t.Errorf("the bot is called %q, %v", name, err)
	}
	for _, user := range []string{"@carl:" + l.hs.Domain, "@lanekeeper_x:elsewhere.test", "lanekeeper_x"} {
		if err := l.EnsureGhost(ctx, user, "Carl"); err == nil || matrix.Temporary(err) {
			t.Errorf("%s as a ghost: %v", user, err)
		}
	}
}

func profile(t *testing.T, l *site) {
	ctx := t.Context()
	ghost := l.ghost(t)
	if err := l.EnsureGhost(ctx, ghost, "Dana (Support)"); err != nil {
		t.Fatal(err)
	}
	if name, err := l.Profile(ctx, ghost); name != "Dana (Support)" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	other := config(l.hs.URL, l.hs.Domain)
	other.BotName, other.BotAvatar = "Lanes", "mxc://"+l.hs.Domain+"/picture"
	c, err := matrix.New(other, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureBot(ctx); err != nil {
		t.Fatal(err)
	}
	bot := lab.As(t, l.hs.URL, l.Bot(), other.ASToken)
	if r := bot.Do(http.MethodGet, "/profile/"+l.Bot(), nil); r.Field("displayname") != "Lanes" || r.Field("avatar_url") != other.BotAvatar {
		t.Error(r)
	}
	if err := l.EnsureBot(ctx); err != nil {
		t.Fatal(err)
	}
	if name, err := l.Profile(ctx, l.Bot()); name != "Lanekeeper" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	if address, err := l.Upload(ctx, "avatar.png", "image/png", []byte("\x89PNG\r\n\x1a\n")); err != nil || !strings.HasPrefix(address, "mxc://"+l.hs.Domain+"/") {
		t.Errorf("a file is %q, %v", address, err)
	}
	if name, missing, err := l.Look(ctx, l.Bot()); name != "Lanekeeper" || missing || err != nil {
		t.Errorf("the bot is %q, missing %v, %v", name, missing, err)
	}
	if name, missing, err := l.Look(ctx, "@nobodyatall:"+l.hs.Domain); name != "" || !missing || err != nil {
		t.Errorf("nobody is %q, missing %v, %v", name, missing, err)
	}
	if name, err := l.Profile(ctx, "@nobody:"+l.hs.Domain); name != "" || err != nil {
		t.Errorf("nobody is called %q, %v", name, err)
	}
}

// One batch after the other brings everything once, in order.
func syncing(t *testing.T, l *site) {
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	l.after(t, room)
	first, err := l.Sync(t.Context(), "", 0, matrix.Measure{})
	if err != nil {
		t.Fatal(err)
	}
	members := 0
	for _, raw := range slices.Concat(first.Joined[room].State, first.Joined[room].Timeline) {
		if e, err := matrix.ParseEvent(room, raw); err == nil && e.Type == "m.room.member" {
			members++
		}
	}
	if members < 2 {
		t.Errorf("%d members in the first sync", members)
	}
	var want, got []string
	for i := range 5 {
		want = append(want, l.say(t, "", room, fmt.Sprint(i)), l.say(t, ghost, room, fmt.Sprint(i)))
	}
	l.until(t, first.Next, func(b *matrix.Batch) bool {
		if b.Joined[room].Limited {
			t.Error("a short timeline is cut")
		}
		for _, raw := range b.Joined[room].Timeline {
			e, err := matrix.ParseEvent(room, raw)
			if err != nil {
				t.Fatal(err)
			}
			if e.Room != room || e.TS.Before(time.Now().Add(-time.Hour)) || e.TS.After(time.Now().Add(time.Hour)) {
				t.Errorf("%+v", e)
			}
			got = append(got, e.ID)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// MSG-24: a deletion comes as an event that names its target, in every version.
func redaction(t *testing.T, l *site) {
	for _, version := range []string{"10", "11", "12"} {
		room, err := l.CreateRoom(t.Context(), matrix.CreateRoom{Version: version, Preset: "private_chat"})
		if err != nil {
			t.Fatal(err)
		}
		target := l.say(t, "", room, "a secret")
		since := l.now(t)
		redaction, err := l.Redact(t.Context(), "", room, target, l.unique("txn"), "wrong room")
		if err != nil {
			t.Fatal(err)
		}
		b := l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(redaction)) != nil })
		if e := find(b.Joined[room].Timeline, byID(redaction)); e.Redacts != target || e.Type != "m.room.redaction" || e.Content["reason"] != "wrong room" {
			t.Errorf("version %s: %s", version, e.Raw)
		}
		first, err := l.Sync(t.Context(), "", 0, matrix.Measure{})
		if err != nil {
			t.Fatal(err)
		}
		e := find(first.Joined[room].Timeline, byID(target))
		if e == nil || e.Body() != "" || e.Unsigned.RedactedBecause == nil || e.Unsigned.RedactedBecause.Sender != l.Bot() {
			t.Errorf("version %s, redacted: %+v", version, e)
		}
	}
}

// The same transaction id sends once; also by a ghost, where it needs its own.
func transactionIDs(t *testing.T, l *site) {
	ctx := t.Context()
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	txn := l.unique("txn")
	first, err := l.Send(ctx, "", room, "m.room.message", txn, text("once"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if again, err := l.Send(ctx, "", room, "m.room.message", txn, text("once")); again != first || err != nil {
			t.Errorf("%s after %s: %v", again, first, err)
		}
	}
	if other := l.say(t, ghost, room, "once"); other == first {
		t.Error("the ghost's message is the bot's")
	}
}

// What is refused for good, and says so.
func refusals(t *testing.T, l *site) {
	ctx := t.Context()
	ghost, room := l.ghost(t), l.room(t)
	_, err := l.Send(ctx, ghost, room, "m.room.message", l.unique("txn"), text("from outside"))
	if !matrix.IsCode(err, "M_FORBIDDEN") || matrix.Temporary(err) {
		t.Errorf("sending from outside: %v", err)
	}
	_, err = l.Send(ctx, "", room, "m.room.message", l.unique("txn"), text(strings.Repeat("x", 70_000)))
	if err == nil || matrix.Temporary(err) {
		t.Errorf("too large: %v", err)
	}
	if _, err := l.State(ctx, "!nowhere:"+l.hs.Domain); err == nil || matrix.Temporary(err) {
		t.Errorf("the state of nowhere: %v", err)
	}
	wrong := config(l.hs.URL, l.hs.Domain)
	wrong.ASToken = "wrong"
	c, err := matrix.New(wrong, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureBot(ctx); !matrix.IsCode(err, "M_UNKNOWN_TOKEN") {
		t.Errorf("a wrong token: %v", err)
	}
	outside := config(l.hs.URL, l.hs.Domain)
	outside.BotLocalpart, outside.GhostPrefix = "otherbot", "otherbot_"
	if c, err = matrix.New(outside, quiet); err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureBot(ctx); !matrix.IsCode(err, "M_EXCLUSIVE") || matrix.Temporary(err) {
		t.Errorf("a bot outside the namespace: %v", err)
	}
}

// The homeserver reaches us: it calls when it is asked to, and when something happens.
func ping(t *testing.T, l *site) {
	room := l.room(t)
	l.say(t, "", room, "for the application service")
	select {
	case <-l.woken:
	case <-time.After(lab.Patience):
		t.Error("no transaction came")
	}
	_, err := l.Ping(t.Context())
	if l.hs.Kind == lab.KindSynapse && err != nil || l.hs.Kind == lab.KindDendrite && !matrix.IsCode(err, "M_UNRECOGNIZED") {
		t.Error(err)
	}
}
