package durability_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/matrix"
)

// TestBacklog writes more messages into a lane than one answer to a sync holds (100 from Synapse, matrix.Timeline from others), with
// a handoff among them, while the bridge is stopped. It takes in all of them, once and in the order of the homeserver's timeline:
// MSG-02.
func TestBacklog(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	for name, backlog := range map[string]struct {
		server   lab.Kind
		messages int
	}{"Synapse": {lab.KindSynapse, 600}, "Dendrite": {lab.KindDendrite, matrix.Timeline + 200}} {
		t.Run(name, func(t *testing.T) {
			k := newTalk(t, lab.WorldOptions{Server: backlog.server}) // a homeserver of its own: others would wait for it
			k.Bridge.Stop()
			since := k.since("mia")
			k.crowd(backlog.messages - 1)
			k.asked++
			k.Person("mia").Wait("the last message", lab.ID(k.ask(k.asked)))
			want := k.timeline("mia", since)
			if len(want) != backlog.messages {
				t.Fatalf("the homeserver has %d messages", len(want))
			}

			began := time.Now()
			k.Bridge.Start()
			k.arrive(90 * time.Second)
			t.Logf("taken in and carried within %s of the start", time.Since(began).Round(time.Millisecond))
			k.Bridge.Stop()
			k.compare(k.taken(want), want)
		})
	}
}

// crowd lets several people write n messages at the same time, one of them in the thread.
func (k *talk) crowd(n int) {
	var all sync.WaitGroup
	for i, name := range []string{"carl", "mia", "mia", "cleo", "cleo"} {
		share := n / 5
		if i == 0 {
			share += n % 5
		}
		all.Go(func() {
			for j := range share {
				if name == "carl" {
					k.ask(k.asked + j + 1)
				} else {
					k.Person(name).Text(k.room, fmt.Sprintf("%s %d.%d", name, i, j))
				}
			}
		})
		if name == "carl" {
			defer func() { k.asked += share }()
		}
	}
	all.Wait()
}

// since is a token of now.
func (k *talk) since(name string) string {
	return k.Person(name).Do(http.MethodGet, "/sync?timeout=0", nil).Field("next_batch")
}

// timeline are the messages of the lane since a token, oldest first: from Synapse by /messages, which goes by the order of
// arrival there; from Dendrite, where it does not, by a long /sync.
func (k *talk) timeline(name, since string) (events []string) {
	k.t.Helper()
	var chunk []lab.Event
	if k.Homeserver.Kind == lab.KindSynapse {
		for from := since; from != ""; {
			var page struct {
				Chunk []lab.Event `json:"chunk"`
				End   string      `json:"end"`
			}
			k.get(name, "/rooms/"+url.PathEscape(k.room)+"/messages?dir=f&limit=500&from="+url.QueryEscape(from), &page)
			chunk, from = append(chunk, page.Chunk...), page.End
		}
	} else {
		var answer struct {
			Rooms struct {
				Join map[string]struct {
					Timeline struct {
						Events  []lab.Event `json:"events"`
						Limited bool        `json:"limited"`
					} `json:"timeline"`
				} `json:"join"`
			} `json:"rooms"`
		}
		k.get(name, "/sync?timeout=0&since="+url.QueryEscape(since)+"&filter="+url.QueryEscape(`{"room":{"timeline":{"limit":5000}}}`), &answer)
		timeline := answer.Rooms.Join[k.room].Timeline
		if chunk = timeline.Events; timeline.Limited {
			k.t.Fatal("the timeline is cut")
		}
	}
	for _, e := range chunk {
		if e.Type == "m.room.message" {
			events = append(events, e.ID)
		}
	}
	return events
}

func (k *talk) get(name, path string, into any) {
	k.t.Helper()
	if r := k.Person(name).Do(http.MethodGet, path, nil); !r.OK() || json.Unmarshal(r.Raw, into) != nil {
		k.t.Fatal(r)
	}
}

// taken are the messages among those given that the bridge has in its database, in the order in which it took them in.
func (k *talk) taken(among []string) (events []string) {
	k.t.Helper()
	db, err := sql.Open("sqlite", "file:"+k.Bridge.Database+"?mode=ro")
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT event_id FROM message WHERE room=? ORDER BY rowid", k.room)
	if err != nil {
		k.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			k.t.Fatal(err)
		}
		if slices.Contains(among, id) {
			events = append(events, id)
		}
	}
	if err := rows.Err(); err != nil {
		k.t.Fatal(err)
	}
	return events
}

func (k *talk) compare(got, want []string) {
	k.t.Helper()
	if slices.Equal(got, want) {
		return
	}
	var wrong []string
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			wrong = append(wrong, fmt.Sprint(i+1))
		}
	}
	k.t.Errorf("%d of %d messages were taken in; out of place: %s", len(got), len(want), strings.Join(wrong, " "))
}
