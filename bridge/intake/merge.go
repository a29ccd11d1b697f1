package intake

import "time"

// merge brings what came in from the rooms of one order key into one order: that
// of each room is kept, and between rooms what happened first comes first. An
// approval in one room and a revocation in another, both found after an outage, are
// decided as they were made.
func merge(rooms [][]arrival, now time.Time) []arrival {
	out, _ := mergeUntil(rooms, nil, now)
	return out
}

// mergeUntil is merge of the beginnings of rooms. It ends where a room is used up
// that has more, and says how many of each room it took.
func mergeUntil(rooms [][]arrival, more []bool, now time.Time) (out []arrival, taken []int) {
	taken = make([]int, len(rooms))
	times := make([][]time.Time, len(rooms))
	for i, room := range rooms {
		times[i] = clock(room, now)
	}
	for {
		first := -1
		for i, room := range rooms {
			switch {
			case taken[i] < len(room):
				if first < 0 || times[i][taken[i]].Before(times[first][taken[first]]) {
					first = i
				}
			case more != nil && more[i]:
				return out, taken // what is next there may be the first of all
			}
		}
		if first < 0 {
			return out, taken
		}
		out = append(out, rooms[first][taken[first]])
		taken[first]++
	}
}

// clock says when each of the arrivals of a room happened, as far as that can be
// believed. Who sent an event from another homeserver dates it as they like: it
// happened at the latest when the next one of our own homeserver did, and nothing
// happened later than now. What has no time comes with what stands before it.
func clock(room []arrival, now time.Time) []time.Time {
	times := make([]time.Time, len(room))
	latest := now
	for i := len(room) - 1; i >= 0; i-- {
		a := room[i]
		switch times[i] = a.at; {
		case !a.local && a.at.After(latest):
			times[i] = latest
		case a.at.After(now):
			times[i] = now
		}
		if a.local {
			latest = times[i]
		}
	}
	for i := 1; i < len(times); i++ {
		if times[i].IsZero() {
			times[i] = times[i-1]
		}
	}
	return times
}
