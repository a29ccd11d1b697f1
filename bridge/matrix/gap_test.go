package matrix_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"lanekeeper/bridge/matrix"
)

// collect adds the ids of events that are not there yet.
func collect(t *testing.T, have []string, raws []json.RawMessage) []string {
	t.Helper()
	for _, raw := range raws {
		e, err := matrix.ParseEvent("", raw)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(have, e.ID) {
			have = append(have, e.ID)
		}
	}
	return have
}

// What happens in a gap, and the tries after which a page is so small that the gap is more than five of them. (crowd reads
// pages of full size.)
const gapEvents, gapTries = 320, 2

// all gives what happened in a room since a token, with its gaps filled, and the next token.
func (l *site) all(t *testing.T, room, since string) (ids []string, next string) {
	t.Helper()
	b, err := l.Sync(t.Context(), since, 0, matrix.Measure{})
	if err != nil {
		t.Fatal(err)
	}
	joined := b.Joined[room]
	if joined.Limited {
		ids = l.between(t, room, since, joined.Prev, gapTries)
	}
	return collect(t, ids, joined.Timeline), b.Next
}

// MSG-02: what happened while nobody synced comes completely and in order, over many pages.
func gap(t *testing.T, l *site) {
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	since := l.after(t, room)
	var want []string
	for i := range gapEvents {
		as := ghost
		if i%3 == 0 {
			as = ""
		}
		if i%30 == 15 { // state is part of it
			id, err := l.PutState(t.Context(), room, "lanekeeper.test", "", map[string]any{"i": i})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, id)
			continue
		}
		want = append(want, l.say(t, as, room, fmt.Sprint(i)))
	}
	l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(want[len(want)-1])) != nil })
	got, next := l.all(t, room, since)
	if !slices.Equal(got, want) {
		t.Errorf("%d events instead of %d; where each belongs: %v", len(got), len(want), positions(want, got))
	}
	if rest, _ := l.all(t, room, next); len(rest) != 0 {
		t.Errorf("%d events came twice", len(rest))
	}
	stop := fmt.Errorf("stop")
	if _, err := l.Since(t.Context(), room, since, func([]json.RawMessage) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the caller's error: %v", err)
	}
}

// positions are where each event stands in a list; -1: nowhere.
func positions(list, events []string) []int {
	var out []int
	for _, e := range events {
		out = append(out, slices.Index(list, e))
	}
	return out
}

// MSG-02: several people write at the same time, so that the events of a room form
// no line but a graph; nothing is lost between one sync and the next.
func crowd(t *testing.T, l *site) {
	const people, each = 8, 50
	var ghosts []string
	for range people {
		ghosts = append(ghosts, l.ghost(t))
	}
	room := l.room(t, ghosts...)
	since := l.now(t)
	var mu sync.Mutex
	var sent []string
	var writers sync.WaitGroup
	for _, ghost := range ghosts {
		writers.Go(func() {
			for range each {
				id, err := l.Send(t.Context(), ghost, room, "m.room.message", l.unique("txn"), text("at the same time"))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				sent = append(sent, id)
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	var got []string
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		// Gaps of every size: some batches are taken from where they would have begun if they were short.
		var ids []string
		ids, since = l.tail(t, room, since)
		got = append(got, ids...)
	}
	// What was acknowledged last may come last.
	lost := func() bool {
		return slices.ContainsFunc(sent, func(id string) bool { return !slices.Contains(got, id) })
	}
	if lost() {
		l.until(t, since, func(b *matrix.Batch) bool {
			got = collect(t, got, b.Joined[room].Timeline)
			return !lost()
		})
	}
	if len(sent) != people*each {
		t.Errorf("only %d events were sent", len(sent))
	}
}

// tail gives what is read of a room since a token, as if the timeline had been empty, and the token of now.
func (l *site) tail(t *testing.T, room, since string) (ids []string, next string) {
	t.Helper()
	b, err := l.Sync(t.Context(), since, 0, matrix.Measure{})
	if err != nil {
		t.Fatal(err)
	}
	return l.between(t, room, since, b.Next, 0), b.Next
}

// between gives what happened in a room between two tokens, and perhaps more, in the way of intake after some tries.
func (l *site) between(t *testing.T, room, since, prev string, tries int) (ids []string) {
	t.Helper()
	complete, err := l.Since(t.Context(), room, since, func(page []json.RawMessage) error {
		ids = collect(t, ids, page)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if complete {
		return ids
	}
	ids = nil
	for from := since; from != ""; {
		events, next, err := l.Page(t.Context(), room, from, prev, tries)
		if err != nil {
			t.Fatal(err)
		}
		ids, from = collect(t, ids, events), next
	}
	return ids
}
