package store_test

import (
	"testing"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

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
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = store.Open(ctx, kind, uri, zerolog.Nop()); err != nil {
			t.Fatal(err)
		}
		defer db.Close()
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
