package store_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// R9: a name that somebody has among staff alone is for those who read there. Who is in
// a direct chat or a customer lane without a name is called by their profile elsewhere, or
// by their localpart.
func TestNameOfAStaffLane(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		s := owner(t, db)
		s.NewID = rand.Text
		const xena = "@xena:x"
		room := func(kind, of, user string) string {
			t.Helper()
			id := "!" + kind
			if err := s.Tx(t.Context(), func(ctx context.Context) error {
				r, err := s.PrepareRoom(ctx, kind, of, user)
				if err != nil {
					return err
				}
				return s.MadeRoom(ctx, r.Alias, id, "12")
			}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		ts := int64(0)
		called := func(room, name string) {
			t.Helper()
			ts++
			raw, _ := json.Marshal(map[string]any{"event_id": fmt.Sprint("$", ts), "type": "m.room.member", "sender": xena, "state_key": xena,
				"content": map[string]any{"membership": "join", "displayname": name}, "origin_server_ts": ts})
			ev, err := matrix.ParseEvent(room, raw)
			if err == nil {
				err = s.PutState(t.Context(), ev)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		is := func(want, where string) {
			t.Helper()
			if got := s.NameIn(t.Context(), xena, where); got != want {
				t.Errorf("in %q: %q, want %q", where, got, want)
			}
		}
		internal := room("internal", "p", "")
		called(internal, "Nick")
		is("Nick", "") // among staff alone nobody else reads of her
		customer := room("customer", "p", "")
		called(customer, "")
		is("xena", "")
		is("Nick", internal)
		if err := s.SaveProfile(t.Context(), &store.Profile{User: xena, Name: "Xena", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		is("Xena", "")
		is("Xena", customer)
		direct := room("direct", "", xena)
		is("Xena", direct) // where her own coming is not known yet, too
		called(direct, "Xena W.")
		is("Xena W.", "")
		called(customer, "Ms W.")
		is("Ms W.", customer)
		is("Xena W.", "")
	})
}
