package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// upgraded opens a database again, as the newest version does.
func upgraded(t *testing.T, db *dbutil.Database, kind, uri string) *dbutil.Database {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), kind, uri, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// What the first release wrote is read by this one: handoffs with what was said in
// them, and who is in a project by whose approval.
func TestUpgradeFromFirstRelease(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		ctx := t.Context()
		db, err := store.OpenAt(ctx, kind, uri, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			`INSERT INTO project (id, slug, name, profile, tier, status, creator, created, revision) VALUES ('p1', 'acme', 'Acme', 'agency', '', 'active', '@root:x', 1, 1)`,
			`INSERT INTO person (project, user_id, role, since) VALUES ('p1', '@xena:x', 'expert', 5)`,
			`INSERT INTO lane_grant (project, user_id, lane, access, approver, reason, since) VALUES ('p1', '@xena:x', 'customer', 2, '@mia:x', 'needed', 7)`,
			`INSERT INTO handoff (number, version, state, asker, direct, thread, record) VALUES (1, 1, 'open', '@carl:x', false, '$root', '{"Number":1,"Room":"!customer","Thread":"$root","State":"open","Askers":[{"user":"@carl:x"}]}')`,
			`INSERT INTO handoff (number, version, state, asker, direct, thread, record) VALUES (2, 1, 'open', '@carl:x', true, '~ask:2', '{"Number":2,"Direct":true,"Thread":"~ask:2","State":"open","Askers":[{"user":"@carl:x"}]}')`,
			`INSERT INTO handoff_event (event_id, handoff, kind, user_id, ts) VALUES ('$said', 1, 'said', '@carl:x', 9)`,
		} {
			if _, err := db.Exec(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		db = upgraded(t, db, kind, uri)
		s := &store.Store{DB: db}
		for n, room := range map[int64]*store.Room{1: {ID: "!customer", Kind: "customer"}, 2: {ID: "!dm", Kind: store.Direct, User: "@carl:x"}} {
			root := map[int64]string{1: "$root", 2: string(effect.To("ask:2"))}[n]
			if h, err := s.HandoffByThread(ctx, room, root); err != nil || h == nil || h.Number != n {
				t.Errorf("handoff #%d: %+v, %v", n, h, err)
			}
		}
		if e, err := s.HandoffEvent(ctx, "$said"); err != nil || e == nil || e.Handoff != 1 {
			t.Errorf("what was said: %+v, %v", e, err)
		}
		role, err := s.LastRole(ctx, "p1", "@xena:x")
		entries, err2 := s.Decisions(ctx, "p1", "@xena:x", project.Customer, 9)
		if role != "expert" || err != nil || err2 != nil || len(entries) != 1 || entries[0].By != "@mia:x" || entries[0].Became != "text" || entries[0].Reason != "needed" {
			t.Errorf("role %q, decisions %+v, %v %v", role, entries, err, err2)
		}
	})
}

// M6. What messages from phones are routed by is filled for handoffs that an earlier
// release wrote, as it would be written now.
func TestUpgradeFillsRouting(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		ctx := t.Context()
		db, err := store.OpenAt(ctx, kind, uri, 14)
		if err != nil {
			t.Fatal(err)
		}
		for n, record := range []string{
			`"State":"open","Leaves":true,"Passed":["+491","+492"],"Askers":[{"user":"@a:x","consent":"wanted"},{"user":"@b:x","consent":"given"}]`,
			`"State":"open","Leaves":true,"Passed":null,"Owner":null,"Askers":[{"user":"@a:x","consent":"wanted"}]`,
			`"State":"open","Leaves":false,"Passed":[],"Askers":[{"user":"@a:x","consent":"announced"}]`,
			`"State":"open","Askers":[{"user":"@a:x"}]`,
			`"State":"taken","Leaves":true,"Owner":{"kind":"whatsapp","id":"+491","name":"Dana"},"Askers":[{"user":"@a:x"}]`,
			`"State":"taken","Leaves":true,"Owner":{"kind":"person","id":"@root:x","name":"root"},"Passed":["+492"],"Askers":[{"user":"@a:x","consent":"given"}]`,
		} {
			if _, err := db.Exec(ctx, "INSERT INTO handoff (number, version, state, asker, direct, thread, record) VALUES ($1, 1, $2, '@a:x', false, $3, $4)",
				n+1, strings.Split(record, `"`)[3], fmt.Sprint("$", n), fmt.Sprintf(`{"Number":%d,%s}`, n+1, record)); err != nil {
				t.Fatal(err)
			}
		}
		db = upgraded(t, db, kind, uri)
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: time.Now}
		read := func(n int64) (s string) {
			if err := db.QueryRow(ctx, "SELECT owner || '|' || reach || '|' || passed FROM handoff WHERE number=$1", n).Scan(&s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for i, want := range []string{"|whatsapp| +491 +492 ", "|withheld|", "|matrix|", "|matrix|", "+491|whatsapp|", "@root:x|whatsapp| +492 "} {
			n := int64(i + 1)
			filled := read(n)
			h, err := s.Handoff(ctx, n)
			if err == nil {
				err = s.SaveHandoff(ctx, h)
			}
			if saved := read(n); err != nil || filled != want || saved != want {
				t.Errorf("M6: #%d is filled with %q, saved as %q, want %q, %v", n, filled, saved, want, err)
			}
		}
	})
}

// Words that a phone's number was asked for by an earlier version are still kept, for the
// rest of their time; what was offered for them is not known.
func TestUpgradeKeepsWords(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		ctx := t.Context()
		db, err := store.OpenAt(ctx, kind, uri, 18)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		if _, err := db.Exec(ctx, "INSERT INTO wa_kept (phone, sid, body, at) VALUES ('+49', 'SM1', 'Tomorrow', $1)", at.UnixMilli()); err != nil {
			t.Fatal(err)
		}
		db = upgraded(t, db, kind, uri)
		s := &store.Store{DB: db, Now: func() time.Time { return at }}
		k, err := s.Kept(ctx, "+49")
		if err != nil || k.Body != "Tomorrow" || len(k.SIDs) != 1 || !k.Until.Equal(at.Add(handoff.KeptFor)) || len(k.Offered) != 0 || !k.Asked.IsZero() {
			t.Errorf("kept: %+v, %v", k, err)
		}
	})
}
