package matrix

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// C4: the timeline of one room is read out of an answer of any size, page by page.
func TestTimelineOfALargeAnswer(t *testing.T) {
	const events = 3000
	body, w := io.Pipe()
	long := strings.Repeat("x", 60_000)
	go func() { // 180 MB, never held as a whole
		fmt.Fprint(w, `{"next_batch":"s2","presence":{"events":[]},"rooms":{"invite":null,"join":{"!other":{"timeline":{"events":[{}],"limited":true}},"!r":{"state":{"events":[{"event_id":"$s"}]},"timeline":{"prev_batch":"p","events":[`)
		for i := range events {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"event_id":"$%d","content":{"body":%q}}`, i, long)
		}
		fmt.Fprint(w, `],"limited":false}}}}}`)
		_ = w.Close()
	}()
	n := 0
	limited, err := readTimeline(body, "!r", func(page []json.RawMessage) error {
		size := 0
		for _, raw := range page {
			size += len(raw)
			var e struct {
				ID string `json:"event_id"`
			}
			if err := json.Unmarshal(raw, &e); err != nil || e.ID != fmt.Sprint("$", n) {
				t.Fatalf("%s instead of $%d, %v", e.ID, n, err)
			}
			n++
		}
		if size > pageBytes+100_000 || len(page) > pageSize {
			t.Fatalf("a page of %d bytes, %d events", size, len(page))
		}
		return nil
	})
	if limited || err != nil || n != events {
		t.Errorf("limited %v, %v, %d events", limited, err, n)
	}
}

// What an answer can be besides.
func TestTimelineOfOddAnswers(t *testing.T) {
	stop := errors.New("stop")
	for body, want := range map[string]struct {
		limited, fails bool
		events         int
	}{
		`{}`:                       {limited: true},
		`{"rooms":null}`:           {limited: true},
		`{"rooms":{"join":{}}}`:    {limited: true},
		`{"rooms":7}`:              {limited: true, fails: true},
		`{"rooms":{"join":{"!r":{`: {limited: true, fails: true},
		`<html>`:                   {limited: true, fails: true},
		`{"rooms":{"leave":{"!r":{"timeline":{"events":[{},{}]}}}}}`:               {events: 2},
		`{"rooms":{"join":{"!r":{"timeline":{"limited":true,"events":[{}]}}}}}`:    {limited: true, events: 1},
		`{"rooms":{"join":{"!r":{"timeline":{"events":[{},{}`:                      {fails: true},
		`{"rooms":{"join":{"!r":{"timeline":{"events":"none"}}}}}`:                 {fails: true},
		`{"rooms":{"join":{"!r":{"state":{"timeline":{"events":[{}]}}}}}}`:         {limited: true},
		`{"rooms":{"knock":{"!r":{"timeline":{"events":[{}],"limited":false}}}}}`:  {limited: true},
		`{"timeline":{"events":[{}]},"rooms":{"join":{"!x":{"timeline":{}}}}}`:     {limited: true},
		`{"rooms":{"join":{"!r":{"timeline":{"events":null,"limited":false}}}}} {`: {},
	} {
		n := 0
		limited, err := readTimeline(strings.NewReader(body), "!r", func(page []json.RawMessage) error { n += len(page); return nil })
		if limited != want.limited && err == nil || (err != nil) != want.fails || n != want.events {
			t.Errorf("%s: limited %v, %v, %d events", body, limited, err, n)
		}
	}
	_, err := readTimeline(strings.NewReader(`{"rooms":{"join":{"!r":{"timeline":{"events":[{}]}}}}}`), "!r", func([]json.RawMessage) error { return stop })
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}
