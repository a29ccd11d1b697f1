package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// source is a homeserver that has as many events as anybody wants: about 0.9 kB
// each, in 1,000 rooms.
type source struct {
	size int
	next int
}

func (s *source) JoinedRooms(context.Context) ([]string, error) { return nil, nil }

// Sync decodes a batch, as the client does with an answer.
func (s *source) Sync(context.Context, string, time.Duration, matrix.Measure) (*matrix.Batch, error) {
	b := &matrix.Batch{Joined: map[string]matrix.JoinedRoom{}}
	for range s.size {
		s.next++
		room := fmt.Sprintf("!room%d:example.org", s.next%1000)
		raw := json.RawMessage(fmt.Sprintf(`{"event_id":"$event%020d","type":"m.room.message","room_id":%q,"sender":"@somebody:example.org","origin_server_ts":1790000000000,"content":{"msgtype":"m.text","body":%q}}`, s.next, room, strings.Repeat("words ", 110)))
		j := b.Joined[room]
		j.Timeline = append(j.Timeline, raw)
		b.Joined[room] = j
	}
	b.Next = fmt.Sprint(s.next)
	return b, nil
}

// floor takes the same batches, decodes every event and stores nothing.
func floor(b *testing.B, size, n int) (perSecond float64) {
	s := &source{size: size}
	began := time.Now()
	for done := 0; done < n; done += size {
		batch, err := s.Sync(b.Context(), "", 0, matrix.Measure{})
		if err != nil {
			b.Fatal(err)
		}
		for room, j := range batch.Joined {
			for _, raw := range j.Timeline {
				if _, err := matrix.ParseEvent(room, raw); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

// BenchmarkIntake stores events durably, in batches of 100 and one by one, and
// prints the ratio to a handler that decodes them and stores nothing.
func BenchmarkIntake(b *testing.B) {
	for _, kind := range []string{store.SQLite, store.Postgres} {
		for _, size := range []int{100, 1} {
			b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
				uri := ""
				if kind == store.SQLite {
					uri = storetest.SQLite(b)
				} else {
					uri = storetest.Postgres(b)
				}
				db := storetest.Open(b, kind, uri)
				s := NewSync(&source{size: size}, &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: time.Now}, zerolog.Nop())
				bare := floor(b, size, 20_000)
				b.ResetTimer()
				for n := 0; n < b.N; n += size {
					if err := s.once(b.Context(), longPoll); err != nil {
						b.Fatal(err)
					}
				}
				stored := float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(stored, "events/s")
				b.ReportMetric(stored/bare, "x_floor")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
