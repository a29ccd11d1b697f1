package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

const carl, ghost = "@carl:x", "@lanekeeper_agent_1:x"

// server is a homeserver that refuses what a test says.
type server struct {
	refuse func(op, as string, content map[string]any) error
	sent   []string // who said what
	named  []string // of ghosts
	found  string   // what was sent before
}

func (s *server) Send(_ context.Context, as, room, _, txn string, content any) (string, error) {
	c := content.(map[string]any)
	if err := s.refuse("send", as, c); err != nil {
		return "", err
	}
	s.sent = append(s.sent, fmt.Sprintf("%s in %s: %v (%s)", as, room, c["body"], txn))
	return fmt.Sprint("$", len(s.sent)), nil
}
func (s *server) Redact(_ context.Context, as, _, _, _, _ string) (string, error) {
	return "$r", s.refuse("redact", as, nil)
}
func (s *server) FindSent(context.Context, string, string, time.Time) (string, error) {
	return s.found, nil
}
func (s *server) EnsureGhost(_ context.Context, mxid, name string) error {
	s.named = append(s.named, name)
	return s.refuse("ghost", mxid, nil)
}
func (s *server) Join(_ context.Context, as, _ string) error                 { return s.refuse("join", as, nil) }
func (s *server) Leave(context.Context, string, string) error                { return nil }
func (s *server) Read(context.Context, string, string, string, string) error { return nil }

// directs opens a direct chat for everybody.
type directs struct{ store *store.Store }

func (d directs) EnsureDirect(ctx context.Context, user string) (string, error) {
	r, err := d.store.PrepareRoom(ctx, store.Direct, "", user)
	if err != nil || r.ID != "" {
		return r.ID, err
	}
	return "!direct" + user, d.store.MadeRoom(ctx, r.Alias, "!direct"+user, "12")
}

func (d directs) Direct(context.Context, string) (string, bool, error) { return "", false, nil }

type bench struct {
	t  *testing.T
	s  *store.Store
	hs *server
	m  *outbox.Matrix
}

func each(t *testing.T, test func(b *bench)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		now, ids := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), 0
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return now }, NewID: func() string { ids++; return fmt.Sprint("id", ids) }}
		for kind, id := range map[string]string{store.SuperAdmin: "!staff", "customer": "!customer"} {
			project := ""
			if kind == "customer" {
				project = "p1"
			}
			r, err := s.PrepareRoom(t.Context(), kind, project, "")
			if err == nil {
				err = s.MadeRoom(t.Context(), r.Alias, id, "12")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		hs := &server{refuse: func(string, string, map[string]any) error { return nil }}
		test(&bench{t, s, hs, &outbox.Matrix{Store: s, HS: hs, Rooms: directs{s}, Prefix: "x", Idempotent: true, Away: &bulkhead.Pool{Slots: 4, PerServer: 4, Linger: time.Minute}, Up: func() time.Time { return now }}})
	})
}

// does carries out an effect at some attempt, and gives what is to happen then.
func (b *bench) does(e effect.Effect, attempts int) (r queue.Result, then []effect.Effect) {
	b.t.Helper()
	payload, _ := json.Marshal(e)
	r = b.m.Do(b.t.Context(), queue.Job{ID: 7, Created: time.UnixMilli(5), Payload: payload, Attempts: attempts})
	if r.Commit == nil {
		return r, nil
	}
	err := b.s.Tx(b.t.Context(), func(ctx context.Context) error {
		if err := r.Commit(ctx); err != nil {
			return err
		}
		rows, err := b.s.DB.Query(ctx, "DELETE FROM job RETURNING payload")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var raw []byte
			var e effect.Effect
			if err := rows.Scan(&raw); err != nil {
				return err
			}
			if err := json.Unmarshal(raw, &e); err != nil {
				return err
			}
			then = append(then, e)
		}
		return rows.Err()
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return r, then
}

func says(to effect.Place) effect.Effect {
	return effect.Effect{Message: &effect.Message{To: to, Content: map[string]any{"body": "words"}}}
}

func refused(status int) error { return &matrix.Error{Status: status, Code: "M_X", Message: "no"} }

// What the homeserver refuses for good staff hear of, once a day for each place.
func TestRefused(t *testing.T) {
	each(t, func(b *bench) {
		b.hs.refuse = func(string, string, map[string]any) error { return refused(400) }
		told := func(e effect.Effect, attempts, want int) {
			t.Helper()
			r, then := b.does(e, attempts)
			if r.Retry > 0 || len(then) != want || want == 1 && !then[0].Message.To.SuperAdmin {
				t.Errorf("%+v: retry %v, then %+v", e.Message, r.Retry, then)
			}
		}
		told(says(effect.Place{Person: carl}), 0, 1)
		told(says(effect.Place{Person: carl}), 0, 0)
		told(says(effect.Place{Project: "p1", Lane: "customer"}), 0, 1)
		told(says(effect.Place{SuperAdmin: true}), 0, 0)
		if r, _ := b.s.DirectRoom(t.Context(), carl); r == nil {
			t.Error("words that no room takes cost the direct chat")
		}
		b.hs.refuse = func(string, string, map[string]any) error { return refused(404) }
		gone := effect.Effect{Redact: &effect.Redact{In: effect.Place{Person: "@mia:x"}, Target: "$1"}}
		told(gone, 0, 0)
		b.hs.refuse = func(string, string, map[string]any) error { return refused(403) }
		told(gone, 0, 1)
		if r, _ := b.does(says(effect.Place{Person: carl}), 0); r.Retry == 0 {
			t.Error("a direct chat that is shut is not opened anew")
		}
	})
}

// HAND-10: events may tell too late that a ghost is out. It gets in again, and the
// bot speaks in its place if it cannot.
func TestGhostThatIsOut(t *testing.T) {
	each(t, func(b *bench) {
		raw := json.RawMessage(`{"event_id":"$m","type":"m.room.member","state_key":"` + ghost + `","sender":"` + ghost + `","content":{"membership":"join"}}`)
		ev, err := matrix.ParseEvent("!customer", raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.s.PutState(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		in, answer := false, says(effect.Place{Project: "p1", Lane: "customer"})
		answer.Message.From, answer.Message.Plain = &effect.Ghost{User: ghost, Name: "Dana"}, map[string]any{"body": "Dana: words"}
		b.hs.refuse = func(op, as string, _ map[string]any) error {
			switch {
			case as == ghost && op != "ghost" && !in:
				in = op == "join"
				if !in {
					return refused(403)
				}
			}
			return nil
		}
		if r, _ := b.does(answer, 0); r.Retry == 0 {
			t.Fatal("the answer is given up")
		}
		b.does(answer, 1)
		b.hs.refuse = func(op, as string, _ map[string]any) error {
			if as == ghost && op != "ghost" {
				return refused(403)
			}
			return nil
		}
		if r, _ := b.does(answer, 2); r.Retry == 0 {
			t.Error("the answer is given up")
		}
		b.does(answer, 12)
		if want := []string{ghost + " in !customer: words (x.7.5)", " in !customer: Dana: words (x.7.5.bot)"}; !slices.Equal(b.hs.sent, want) {
			t.Errorf("sent %q", b.hs.sent)
		}
	})
}

// What staff shall read waits until the bot is in the room that operators chose; what
// is refused there is dropped.
func TestStaffRoomWithoutUs(t *testing.T) {
	each(t, func(b *bench) {
		out := refused(403)
		b.hs.refuse = func(op, _ string, _ map[string]any) error {
			if op == "join" {
				return out
			}
			return refused(403)
		}
		if r, _ := b.does(says(effect.Place{SuperAdmin: true}), 3); r.Retry == 0 || r.Err == nil {
			b.t.Errorf("not in the room: %+v", r)
		}
		out = nil
		if r, _ := b.does(says(effect.Place{SuperAdmin: true}), 3); r.Retry != 0 || r.Err == nil {
			b.t.Errorf("in the room: %+v", r)
		}
	})
}

// What refers to a message in a direct chat that was given up: changes of it go
// there, and nothing of it is said in the new one.
func TestOtherRoom(t *testing.T) {
	each(t, func(b *bench) {
		if err := b.s.SaveSent(t.Context(), "ask:1", "!old", "$root"); err != nil {
			t.Fatal(err)
		}
		b.hs.refuse = func(op, _ string, c map[string]any) error {
			if relation, _ := c["m.relates_to"].(map[string]any); relation["rel_type"] == "m.thread" {
				t.Errorf("%s relates to %v", op, relation)
			}
			return nil
		}
		words := says(effect.Place{Person: carl})
		words.Message.Thread = effect.To("ask:1")
		b.does(words, 0)
		edited := says(effect.Place{Person: carl})
		edited.Message.Edits = effect.To("ask:1")
		b.does(edited, 0)
		if want := []string{" in !direct" + carl + ": words (x.7.5)", " in !old: * words (x.7.5)"}; !slices.Equal(b.hs.sent, want) {
			t.Errorf("sent %q", b.hs.sent)
		}
	})
}

// What was said in a direct chat that has become a room of others is changed in the new
// one: the others would read the new words.
func TestOthersInTheFormerDirectChat(t *testing.T) {
	each(t, func(b *bench) {
		b.s.Keeper = "@lanekeeper:x"
		if err := b.s.SaveSent(t.Context(), "answer:$1", "!old", "$root"); err != nil {
			t.Fatal(err)
		}
		edited := says(effect.Place{Person: carl})
		edited.Message.Edits = effect.To("answer:$1")
		for _, user := range []string{b.s.Keeper, carl, "@eve:x"} {
			ev, err := matrix.ParseEvent("!old", json.RawMessage(`{"event_id":"$m`+user+`","type":"m.room.member","state_key":"`+user+`","sender":"`+user+`","content":{"membership":"join"}}`))
			if err == nil {
				err = b.s.PutState(t.Context(), ev)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.does(edited, 0)
		}
		old, fresh := " in !old: * words (x.7.5)", " in !direct"+carl+": words (x.7.5)"
		if want := []string{old, old, fresh}; !slices.Equal(b.hs.sent, want) {
			t.Errorf("sent %q", b.hs.sent)
		}
	})
}

// W5: a ghost that cannot be made is not waited for. W3: one that is in gets the name
// that it has now, and speaks whether that works or not.
func TestGhostsOfAnotherConfiguration(t *testing.T) {
	each(t, func(b *bench) {
		answer := says(effect.Place{Project: "p1", Lane: "customer"})
		answer.Message.From, answer.Message.Plain = &effect.Ghost{User: ghost, Name: "Dana"}, map[string]any{"body": "Dana: words"}
		b.hs.refuse = func(op, _ string, _ map[string]any) error {
			if op == "ghost" {
				return refused(400)
			}
			return nil
		}
		if r, _ := b.does(answer, 0); r.Retry > 0 {
			t.Errorf("W5: it waits: %+v", r)
		}
		raw := json.RawMessage(`{"event_id":"$m","type":"m.room.member","state_key":"` + ghost + `","sender":"` + ghost + `","content":{"membership":"join"}}`)
		ev, err := matrix.ParseEvent("!customer", raw)
		if err == nil {
			err = b.s.PutState(t.Context(), ev)
		}
		if err != nil {
			t.Fatal(err)
		}
		answer.Message.From.Name = "Dana Weber"
		b.does(answer, 0)
		if !slices.Equal(b.hs.named, []string{"Dana", "Dana Weber"}) {
			t.Errorf("W3: names %q", b.hs.named)
		}
		if want := []string{" in !customer: Dana: words (x.7.5.bot)", ghost + " in !customer: words (x.7.5)"}; !slices.Equal(b.hs.sent, want) {
			t.Errorf("sent %q", b.hs.sent)
		}
	})
}

// D7: what is for a room that does not exist waits until it does, and asks for
// nothing meanwhile.
func TestRoomThatIsNotMade(t *testing.T) {
	each(t, func(b *bench) {
		room, err := b.s.PrepareRoom(t.Context(), "notes", "p1", "")
		if err == nil {
			err = b.s.Do(t.Context(), says(effect.Place{Project: "p1", Lane: "notes"}))
		}
		if err != nil {
			t.Fatal(err)
		}
		tried := make(chan queue.Result, 10)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = b.s.Queue.Run(ctx, store.QueueMatrix, 1, func(ctx context.Context, job queue.Job) queue.Result {
				r := b.m.Do(ctx, job)
				tried <- r
				return r
			})
		}()
		if r := <-tried; r.Retry < time.Minute || !r.Keep {
			t.Errorf("retry %s", r.Retry)
		}
		if err := b.s.MadeRoom(t.Context(), room.Alias, "!notes", "12"); err != nil {
			t.Fatal(err)
		}
		if r := <-tried; r.Retry > 0 {
			t.Errorf("not sent: %+v", r)
		}
		stop()
		<-ended
	})
}

// D8: a direct chat that was adopted meanwhile is not forgotten for another's sake.
func TestAnotherDirectChat(t *testing.T) {
	each(t, func(b *bench) {
		err := b.s.AdoptDirect(t.Context(), carl, "!new", "12")
		if err == nil {
			err = b.s.ForgetDirect(t.Context(), carl, "!old")
		}
		if r, _ := b.s.DirectRoom(t.Context(), carl); err != nil || r == nil || r.ID != "!new" {
			t.Errorf("%+v %v", r, err)
		}
	})
}

// C2: what waits for long while the homeserver answers staff hear of once, and once
// that it is over.
func TestLate(t *testing.T) {
	each(t, func(b *bench) {
		created := b.s.Now().Add(-store.LateAfter)
		b.m.Up = func() time.Time { return created }
		staff := func() (words []string) {
			rows, err := b.s.DB.Query(t.Context(), "DELETE FROM job RETURNING payload")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var raw []byte
				var e effect.Effect
				if err := rows.Scan(&raw); err != nil || json.Unmarshal(raw, &e) != nil || !e.Message.To.SuperAdmin {
					t.Fatalf("%s %v", raw, err)
				}
				words = append(words, fmt.Sprint(e.Message.Content["body"]))
			}
			return words
		}
		do := func(key string, err error, want ...string) {
			t.Helper()
			b.hs.refuse = func(string, string, map[string]any) error { return err }
			payload, _ := json.Marshal(says(effect.Place{Person: carl}))
			r := b.m.Do(t.Context(), queue.Job{ID: 7, Queue: store.QueueMatrix, Key: key, Created: created, Payload: payload})
			if r.Commit != nil {
				if err := b.s.Tx(t.Context(), r.Commit); err != nil {
					t.Fatal(err)
				}
			}
			got := staff()
			if len(got) != len(want) || len(want) > 0 && !strings.Contains(got[0], want[0]) {
				t.Errorf("staff reads %q, not %q", got, want)
			}
		}
		silent := &matrix.Error{Message: "no answer within 30s"}
		do("direct:"+carl, silent, "no answer within 30s")
		do("direct:"+carl, silent)
		do("direct:"+carl, nil, "is done.")
		do("direct:"+carl, nil)
		do("direct:"+carl, refused(429), "rate_limited: false")
		do("another", refused(429))
		do("another", nil, "no longer limits me")
		// Whoever was told hears of the end though we, or the homeserver, were away meanwhile, and of the next time.
		do("direct:"+carl, silent, "no answer within 30s")
		b.m.Up = b.s.Now
		do("direct:"+carl, nil, "is done.")
		b.m.Up = func() time.Time { return created }
		do("direct:"+carl, silent, "no answer within 30s")
		b.m.Up = func() time.Time { return time.Time{} } // nobody is to blame but the homeserver
		do("direct:"+carl, silent)
	})
}

// D18: what was put before this process began may have been sent before, also if the
// clock was set back meanwhile, so that it seems to have been put later.
func TestSentBeforeTheClockWasSetBack(t *testing.T) {
	each(t, func(b *bench) {
		b.m.Idempotent, b.m.Began, b.m.Before, b.hs.found = false, b.s.Now().Add(-time.Minute), 7, "$before"
		for id, want := range map[int64]int{7: 0, 8: 1} {
			b.hs.sent = nil
			payload, _ := json.Marshal(says(effect.Place{Project: "p1", Lane: "customer"}))
			r := b.m.Do(t.Context(), queue.Job{ID: id, Created: b.s.Now().Add(time.Hour), Payload: payload})
			if r.Retry > 0 || len(b.hs.sent) != want {
				t.Errorf("job %d: sent %q, %+v", id, b.hs.sent, r)
			}
		}
	})
}

// C2: the ids of rooms of version 12 name no server: whose answer is waited for is
// known from the invitation, so that one server that hangs keeps no other's slot.
func TestCallsThatHangInNewRooms(t *testing.T) {
	each(t, func(b *bench) {
		b.m.Away = &bulkhead.Pool{Slots: 4, PerServer: 1, Linger: time.Millisecond}
		hang := make(chan struct{})
		b.hs.refuse = func(string, string, map[string]any) error {
			<-hang
			return nil
		}
		for id, e := range []effect.Effect{
			{Join: &effect.Join{Room: "!a", Server: "dead"}},
			{Join: &effect.Join{Room: "!b", Server: "dead"}},
			{Join: &effect.Join{Room: "!c", Server: "well"}},
		} {
			payload, _ := json.Marshal(e)
			b.m.Do(t.Context(), queue.Job{ID: int64(id), Key: e.Join.Room, Created: b.s.Now(), Payload: payload})
		}
		for id, want := range []bool{true, false, true} {
			if is := b.m.Away.UnderWay(fmt.Sprint("job ", id)); is != want {
				t.Errorf("join %d is under way: %v", id, is)
			}
		}
		close(hang)
		b.m.Away.Wait()
	})
}

// C2: joins and direct chats that never get an answer do not keep a worker; their
// jobs come back when the call has ended.
func TestCallsThatHang(t *testing.T) {
	each(t, func(b *bench) {
		b.m.Away = &bulkhead.Pool{Slots: 2, PerServer: 1, Linger: time.Millisecond}
		hang := make(chan struct{})
		b.hs.refuse = func(op, _ string, _ map[string]any) error {
			if op == "join" {
				<-hang
			}
			return nil
		}
		do := func(id int64, e effect.Effect) queue.Result {
			payload, _ := json.Marshal(e)
			return b.m.Do(t.Context(), queue.Job{ID: id, Key: fmt.Sprint("room:", id), Created: b.s.Now(), Payload: payload})
		}
		join := func(room string) effect.Effect { return effect.Effect{Join: &effect.Join{Room: room}} }
		for id := range int64(16) {
			if r := do(id, join(fmt.Sprintf("!%d:dead", id))); r.Retry == 0 || !r.Keep {
				t.Fatalf("a join that hangs: %+v", r)
			}
		}
		b.m.Away.Linger = time.Minute // what does not hang may take its time
		if r := do(20, says(effect.Place{Project: "p1", Lane: "customer"})); r.Retry > 0 {
			t.Errorf("a message to a healthy room waits: %+v", r)
		}
		if r := do(21, says(effect.Place{Person: carl})); r.Retry > 0 {
			t.Errorf("a direct chat with somebody else waits: %+v", r)
		}
		close(hang)
		b.m.Away.Wait()
		if r := do(0, join("!0:dead")); r.Retry > 0 {
			t.Errorf("it came to nothing: %+v", r)
		}
	})
}

// leaver is a person in a direct chat, or out of it.
type leaver struct {
	in     *bool
	opened *int
	hang   chan struct{}
}

func (l leaver) Direct(context.Context, string) (string, bool, error) { return "!chat", *l.in, nil }

func (l leaver) EnsureDirect(context.Context, string) (string, error) {
	*l.opened++
	<-l.hang
	return "!chat", nil
}

// C2: who leaves a direct chat that took its time to open is invited again with the next word, whatever came of the call
// that opened it.
func TestDirectChatThatWasOpenedLate(t *testing.T) {
	each(t, func(b *bench) {
		in, opened := false, 0
		rooms := leaver{&in, &opened, make(chan struct{})}
		b.m.Rooms, b.m.Away = rooms, &bulkhead.Pool{Slots: 2, PerServer: 1, Linger: time.Millisecond}
		if r, _ := b.does(says(effect.Place{Person: carl}), 0); r.Retry == 0 {
			t.Fatalf("not waited for: %+v", r)
		}
		close(rooms.hang)
		b.m.Away.Wait()
		in = true
		b.does(says(effect.Place{Person: carl}), 0)
		in, b.m.Away.Linger = false, time.Minute
		if r, _ := b.does(says(effect.Place{Person: carl}), 0); r.Retry > 0 || opened != 2 {
			t.Errorf("invited %d times: %+v", opened, r)
		}
	})
}
