package reconcile

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
)

// What a missing key of m.room.power_levels means,
// https://spec.matrix.org/v1.15/client-server-api/#mroompower_levels.
var levelDefaults = map[string]int64{
	"users_default": 0, "events_default": 0, "state_default": 50,
	"ban": 50, "kick": 50, "redact": 50, "invite": 0,
}

// power answers who may do what in a room as it is.
type power struct {
	content  map[string]any // nil: the room has no levels
	creators []string
	above    bool // creators stand above all levels
}

func powerIn(a *Actual) power {
	return power{content: a.Content(typeLevels, ""), creators: a.Creators(), above: sovereign(a.Version())}
}

// of is the level of a user.
func (p power) of(user string) int64 {
	creator := slices.Contains(p.creators, user)
	switch {
	case creator && p.above:
		return math.MaxInt64
	case creator && p.content == nil:
		return 100
	}
	if n, ok := entry(p.content, "users", user); ok {
		return n
	}
	return p.scalar("users_default")
}

// toSet is the level that setting a type of state needs.
func (p power) toSet(typ string) int64 {
	if p.content == nil {
		return 0
	}
	if n, ok := entry(p.content, "events", typ); ok {
		return n
	}
	return p.scalar("state_default")
}

func (p power) scalar(key string) int64 {
	if n, ok := integer(p.content[key]); ok {
		return n
	}
	return levelDefaults[key]
}

// allow makes of the wanted levels those that a user is able to write, by the
// rules for m.room.power_levels in
// https://spec.matrix.org/v1.15/rooms/v11/#authorization-rules: what nobody at
// that user's level can change stays as it is. stuck lists the users who stay at
// a level they should not have. What a homeserver adds of its own and gives no
// meaning to (Synapse: "historical") stays as well. ok is false if that user can
// write no levels at all.
func (p power) allow(user string, want map[string]any) (levels map[string]any, stuck []string, ok bool) {
	level := p.of(user)
	if level < p.toSet(typeLevels) {
		return p.content, nil, false
	}
	levels = maps.Clone(want)
	for key, have := range p.content {
		n, isNumber := integer(have)
		_, known := levelDefaults[key]
		_, wanted := want[key]
		switch {
		case !wanted && (!known || n == levelDefaults[key]):
			levels[key] = have
		case isNumber && n > level:
			levels[key] = have
		}
	}
	for _, key := range []string{"events", "notifications"} {
		if p.content[key] != nil || want[key] != nil {
			levels[key] = keepAbove(object(p.content[key]), object(want[key]), level)
		}
	}
	levels["users"], stuck = keepPeers(object(p.content["users"]), object(want["users"]), user, level)
	return levels, stuck, true
}

// keepAbove keeps the entries that are above a level.
func keepAbove(have, want map[string]any, level int64) map[string]any {
	out := maps.Clone(want)
	if out == nil {
		out = map[string]any{}
	}
	for key, v := range have {
		if n, ok := integer(v); ok && n > level {
			out[key] = v
		}
	}
	return out
}

// keepPeers keeps the users who are at a level or above it, and does not raise
// the writer.
func keepPeers(have, want map[string]any, writer string, level int64) (out map[string]any, stuck []string) {
	out = maps.Clone(want)
	if out == nil {
		out = map[string]any{}
	}
	for user, v := range have {
		n, ok := integer(v)
		m, wanted := integer(want[user])
		if !ok || wanted && n == m {
			continue
		}
		if user != writer && n >= level || user == writer && wanted && m > n {
			out[user] = v
			stuck = append(stuck, user)
		}
	}
	if _, ok := have[writer]; !ok && level < math.MaxInt64 {
		if n, wanted := integer(want[writer]); wanted && n > level {
			delete(out, writer)
			stuck = append(stuck, writer)
		}
	}
	slices.Sort(stuck)
	return out, stuck
}

func entry(content map[string]any, of, key string) (int64, bool) {
	return integer(object(content[of])[key])
}

// object reads a JSON object, whether it comes from a homeserver or from policy.
func object(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case nil:
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out map[string]any
	_ = json.Unmarshal(b, &out) // what is no object is no levels
	return out
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), v == math.Trunc(v)
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	}
	return 0, false
}
