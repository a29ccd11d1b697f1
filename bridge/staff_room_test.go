package bridge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/config"
)

// R17: a lane or a direct chat is refused as the super-admin room, with a sentence.
func TestStaffRoom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		ids := 0
		s := &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: time.Now, NewID: func() string { ids++; return fmt.Sprint(ids) }}
		for _, r := range []store.Room{{Kind: "internal", Project: "p1", ID: "!lane"}, {Kind: store.Direct, User: "@carl:x", ID: "!direct"}, {Kind: store.SuperAdmin, ID: "!staff"}} {
			row, err := s.PrepareRoom(t.Context(), r.Kind, r.Project, r.User)
			if err == nil {
				err = s.MadeRoom(t.Context(), row.Alias, r.ID, "12")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for id, sentence := range map[string]string{
			"!lane": "is the room \"internal\" of a project", "!direct": "the direct chat with @carl:x", "!staff": "", "!another": "", "": "",
		} {
			b := &Bridge{cfg: &config.Config{}, store: s}
			b.cfg.Rooms.SuperAdmin = id
			err := b.staffRoom(t.Context())
			var e *ExitError
			if sentence == "" && err != nil || sentence != "" && (!errors.As(err, &e) || e.Code != ExitConfig || !strings.Contains(e.Sentence, sentence)) {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}
