package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// D14: what is over goes after its time, in portions; what is not stays.
func TestRetention(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := owner(t, db)
		now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		ctx := t.Context()
		must := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(ctx, query, args...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		day := 24 * time.Hour
		keep := store.Retention{Messages: 10 * day, Handoffs: 20 * day, Parked: 30 * day}
		for age := range 40 { // one of each a day
			at := now.Add(-time.Duration(age)*day - time.Hour).UnixMilli()
			n := 1000 - age
			id := fmt.Sprint(n)
			must("INSERT INTO message (event_id, room, sender, ts, msgtype, body, html, thread, reply_to, redacted, came) VALUES ($1, '!r', '@u', 0, 'm.text', 'words', '', '', '', false, $2)", "$"+id, at)
			must("INSERT INTO sent (id, room, event_id, at) VALUES ($1, '!r', $1, $2)", id, at)
			must("INSERT INTO answer (command, project, revision, answer, pending, at) VALUES ($1, 'p', 1, '{}', false, $2)", id, at)
			must("INSERT INTO parked (id, queue, key, attempts, created, parked, reason, payload) VALUES ($1, 'in', 'k', 1, 0, $2, 'why', $3)", n, at, []byte("{}"))
			must("INSERT INTO handoff (number, version, state, asker, direct, thread, record, changed) VALUES ($1, 1, $2, '@u', false, $3, '{}', $4)", n, map[bool]string{true: "closed", false: "taken"}[age%2 == 0], "t"+id, at)
			must("INSERT INTO handoff_event (event_id, handoff, kind, user_id, ts) VALUES ($1, $2, 'said', '@u', $3)", "$"+id, n, at)
			must("INSERT INTO wa_line (id, handoff, kind, source, held, asker, head, pieces, created) "+overriding(db)+" VALUES ($1, $1, 'ask', '', false, '', 'words', '[]', $2)", n, at)
			must("INSERT INTO wa_line (id, handoff, kind, source, held, asker, head, pieces, created) "+overriding(db)+" VALUES ($1, 0, 'told', '', false, '', 'words', '[]', $2)", n+1000, at)
			must("INSERT INTO wa_source (event_id, line) VALUES ($1, $2)", "$"+id, n)
			must("INSERT INTO wa_part (line, handoff, phone, part, parts, body, state, sid, former, attempts, code, started, changed) VALUES ($1, $1, '+49', 1, 1, 'words', 'read', $2, '', 1, 0, $3, $3)", n, "SM"+id, at)
			must("INSERT INTO wa_part (line, handoff, phone, part, parts, body, state, sid, former, attempts, code, started, changed) VALUES (NULL, $1, '+49', 1, 1, '', 'read', $2, '', 1, 0, $3, $3)", n, "SMt"+id, at)
			must("INSERT INTO wa_inbound (sid, phone, handoff, body, at) VALUES ($1, '+49', $2, 'words', $3)", "SMi"+id, n, at)
			must("INSERT INTO wa_inbound (sid, phone, handoff, body, at) VALUES ($1, '+49', 0, '', $2)", "SMn"+id, at)
			must("INSERT INTO wa_phone (phone, user_id, inbound, template, number, told) VALUES ($1, '', 0, 0, 0, $2)", "+1"+id, at)  // a stranger
			must("INSERT INTO wa_phone (phone, user_id, inbound, template, number, told) VALUES ($1, '', $2, 0, 0, 0)", "+2"+id, at)  // an agent
			must("INSERT INTO wa_phone (phone, user_id, inbound, template, number, told) VALUES ($1, '', 0, $2, 1, $2)", "+3"+id, at) // a stranger who became an agent
		}
		portions := 0
		for more := true; more; portions++ {
			var err error
			if more, err = s.ForgetOld(ctx, keep, 7); err != nil {
				t.Fatal(err)
			}
		}
		if portions < 4 {
			t.Errorf("%d portions", portions)
		}
		for query, want := range map[string]int{
			"SELECT COUNT(*) FROM message":                         10,
			"SELECT COUNT(*) FROM answer":                          10,
			"SELECT COUNT(*) FROM sent":                            20,
			"SELECT COUNT(*) FROM parked":                          30,
			"SELECT COUNT(*) FROM handoff":                         30, // 10 of 20 that are closed, and all others
			"SELECT COUNT(*) FROM handoff_event":                   30,
			"SELECT COUNT(*) FROM wa_line WHERE handoff>0":         30,
			"SELECT COUNT(*) FROM wa_line WHERE handoff=0":         10,
			"SELECT COUNT(*) FROM wa_source":                       30,
			"SELECT COUNT(*) FROM wa_part":                         60,
			"SELECT COUNT(*) FROM wa_inbound WHERE handoff>0":      30,
			"SELECT COUNT(*) FROM wa_inbound WHERE handoff=0":      10,
			"SELECT COUNT(*) FROM wa_phone":                        90,
			"SELECT COUNT(*) FROM handoff WHERE state='closed'":    10,
			"SELECT COUNT(*) FROM handoff WHERE state<>'closed'":   20,
			"SELECT COUNT(*) FROM wa_part WHERE handoff IN (0, 1)": 0,
		} {
			var got int
			if err := db.QueryRow(ctx, query).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %d (%v), want %d", query, got, err, want)
			}
		}
	})
}

// D14: what became of the messages of a handoff that stands, or of an open request, is known as long as that is so: their
// cards are edited, and what is said in their threads belongs to them.
func TestSentIsKeptWhileItIsNeeded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := owner(t, db)
		now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		must := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(t.Context(), query, args...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		ids := []string{"card:1", "ask:1", "ans:1:SM:1", "card:2", "card:3", "request:4", "request:5:@u:x", "request:6", "answer:$1", "other"}
		for _, id := range ids {
			if err := s.SaveSent(t.Context(), id, "!r", "$"+id); err != nil {
				t.Fatal(err)
			}
		}
		for n, state := range map[int]string{1: "taken", 2: "closed"} { // 3 is gone
			must("INSERT INTO handoff (number, version, state, asker, direct, thread, record, changed) VALUES ($1, 1, $2, '@u', false, $3, '{}', $4)",
				n, state, fmt.Sprint(n), now.Add(39*24*time.Hour).UnixMilli())
		}
		must("INSERT INTO project (id, slug, name, profile, tier, status, creator, created, revision) VALUES ('p', 'p', 'p', 'agency', '', 'active', '', 0, 1)")
		for n, state := range map[int]string{4: "open", 5: "open", 6: "approved"} {
			must("INSERT INTO request (number, project, user_id, lane, access, reason, state, decided_by, because, asked) VALUES ($1, 'p', '@u', 'customer', 1, '', $2, '', '', 0)", n, state)
		}
		now = now.Add(40 * 24 * time.Hour)
		for more, rounds := true, 0; more; rounds++ {
			var err error
			if more, err = s.ForgetOld(t.Context(), store.Retention{Messages: time.Hour, Handoffs: 30 * 24 * time.Hour, Parked: time.Hour}, 3); err != nil || rounds > 10 {
				t.Fatal(rounds, err)
			}
		}
		for i, id := range ids {
			_, event, err := s.Sent(t.Context(), id)
			if want := i < 4 || id == "request:4" || id == "request:5:@u:x"; err != nil || (event != "") != want {
				t.Errorf("%s: %q, %v", id, event, err)
			}
		}
	})
}

// D14: the state of rooms that were left long ago goes, unless they are ours.
func TestStateOfLeftRooms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := owner(t, db)
		now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
		const bot = "@bot:lanes.test"
		for i, c := range []struct{ room, membership string }{{"!left:x", "leave"}, {"!in:x", "join"}, {"!ours:x", "leave"}, {"!banned:x", "ban"}, {"!lately:x", "leave"}} {
			ts := now.Add(time.Duration(i) * time.Minute)
			if c.room == "!lately:x" {
				ts = now.Add(time.Hour)
			}
			for _, user := range []string{bot, "@carl:lanes.test"} {
				raw := fmt.Sprintf(`{"type":"m.room.member","event_id":"$%d%s","sender":%q,"state_key":%q,"origin_server_ts":%d,"content":{"membership":%q}}`, i, user[1:2], bot, user, ts.UnixMilli(), c.membership)
				e, err := matrix.ParseEvent(c.room, []byte(raw))
				if err != nil {
					t.Fatal(err)
				}
				s.Now = func() time.Time { return ts }
				if err := s.PutState(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := db.Exec(t.Context(), "INSERT INTO room (alias, id, kind, project, user_id, version) VALUES ('a', '!ours:x', 'customer', 'p', '', '12')"); err != nil {
			t.Fatal(err)
		}
		looks := 0
		for after := time.UnixMilli(1); !after.IsZero(); looks++ {
			var err error
			if after, err = s.ForgetLeft(t.Context(), bot, after, now.Add(30*time.Minute), 2); err != nil {
				t.Fatal(err)
			}
		}
		for room, want := range map[string]int{"!left:x": 0, "!in:x": 2, "!ours:x": 2, "!banned:x": 0, "!lately:x": 2} {
			if state, err := s.State(t.Context(), room); len(state) != want || err != nil {
				t.Errorf("%s: %d events, %v", room, len(state), err)
			}
		}
		if looks != 3 && looks != 2 {
			t.Errorf("%d looks", looks)
		}
	})
}

// How long words and the state of rooms are kept does not depend on what their senders say the time is.
func TestRetentionByOurClock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := owner(t, db)
		start := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
		const day, bot = 24 * time.Hour, "@bot:lanes.test"
		for _, came := range []time.Duration{0, 5 * day} {
			s.Now = func() time.Time { return start.Add(came) }
			for name, said := range map[string]time.Time{"none": time.UnixMilli(0), "past": start.Add(-9999 * day), "future": start.Add(9999 * day)} {
				id := fmt.Sprint(name, came)
				if err := s.SaveMessage(t.Context(), &store.Message{Event: "$" + id, Room: "!r", Sender: "@u", TS: said}); err != nil {
					t.Fatal(err)
				}
				raw := fmt.Sprintf(`{"type":"m.room.member","event_id":"$kick%s","sender":"@u:far","state_key":%q,"origin_server_ts":%d,"content":{"membership":"leave"}}`, id, bot, said.UnixMilli())
				e, err := matrix.ParseEvent("!"+id, []byte(raw))
				if err != nil {
					t.Fatal(err)
				}
				if err := s.PutState(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.Now = func() time.Time { return start.Add(12 * day) }
		if _, err := s.ForgetOld(t.Context(), store.Retention{Messages: 10 * day, Handoffs: day, Parked: day}, 100); err != nil {
			t.Fatal(err)
		}
		for after := time.UnixMilli(-1 << 53); !after.IsZero(); {
			var err error
			if after, err = s.ForgetLeft(t.Context(), bot, after, start.Add(2*day), 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"none", "past", "future"} {
			for _, came := range []time.Duration{0, 5 * day} {
				id, kept := fmt.Sprint(name, came), came > 0
				if m, err := s.Message(t.Context(), "$"+id); (m != nil) != kept || err != nil {
					t.Errorf("message %s: %v, %v", id, m, err)
				}
				if state, err := s.State(t.Context(), "!"+id); (len(state) > 0) != kept || err != nil {
					t.Errorf("state %s: %v, %v", id, state, err)
				}
			}
		}
	})
}

// A project names who keeps its rooms; those of earlier versions get one at the start.
func TestKeeper(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := owner(t, db)
		save := func(p *project.Project) {
			t.Helper()
			if err := s.Tx(t.Context(), func(ctx context.Context) error { return s.SaveProject(ctx, p) }); err != nil {
				t.Fatal(err)
			}
		}
		save(&project.Project{ID: "old", Slug: "old"})
		s.Keeper = "@lanekeeper:lanes.test"
		save(&project.Project{ID: "new", Slug: "new"})
		save(&project.Project{ID: "other", Slug: "other", Keeper: "@keeper_2:lanes.test"})
		if err := s.AdoptProjects(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"old": s.Keeper, "new": s.Keeper, "other": "@keeper_2:lanes.test"} {
			if p, err := s.Project(t.Context(), id); err != nil || p.Keeper != want {
				t.Errorf("%s: %+v, %v", id, p, err)
			}
		}
	})
}

// D17: who only looks makes and changes no tables, and says why it cannot.
func TestLook(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		if _, err := store.Look(t.Context(), kind, uri, zerolog.Nop()); !errors.Is(err, store.ErrEmpty) {
			t.Errorf("an empty database: %v", err)
		}
		db := storetest.Open(t, kind, uri)
		look, err := store.Look(t.Context(), kind, uri, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		_ = look.Close()
		for _, change := range []string{"UPDATE version SET version=version+1", "UPDATE version SET version=version-2"} {
			if _, err := db.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Look(t.Context(), kind, uri, zerolog.Nop()); !errors.Is(err, store.ErrSchema) {
				t.Errorf("%s: %v", change, err)
			}
		}
	})
}
