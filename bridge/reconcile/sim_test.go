package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"lanekeeper/bridge/matrix"
)

const (
	simDomain = "lanes.test"
	simBot    = "@lanekeeper:" + simDomain
)

// sim is a homeserver in memory: rooms with state and the authorisation rules that
// matter here (https://spec.matrix.org/v1.15/rooms/v11/#authorization-rules).
type sim struct {
	mu      sync.Mutex
	version string
	rooms   map[string]*simRoom
	order   []string
	ids     int
	aliases map[string]string
	ghosts  map[string]string
	now     time.Time
	writes  []string // what was written, in order

	// fault is asked before and after each write. An error ends the call with it;
	// before a write, nothing is written.
	fault func(n int, after bool) error
	// refuse answers a write with a homeserver's refusal.
	refuse func(op string) error
	// swallow makes a write of state succeed without an effect.
	swallow func(typ string) bool
	// cut ends a creation without an answer when so many events stand; alias says
	// whether the alias does.
	cut func() (events int, alias, now bool)

	uploads int
	noMedia bool // refuses uploads
}

type simRoom struct {
	id      string
	version string
	state   map[Key]*matrix.Event
}

func newSim(version string) *sim {
	return &sim{
		version: version, rooms: map[string]*simRoom{}, aliases: map[string]string{}, ghosts: map[string]string{},
		now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC),
	}
}

func refusal(status int, code string) error {
	return &matrix.Error{Status: status, Code: code, Message: "simulated"}
}

var forbidden = refusal(403, "M_FORBIDDEN")

func (s *sim) Bot() string                { return simBot }
func (s *sim) Alias(local string) string  { return "#" + local + ":" + simDomain }
func (s *sim) actual(room string) *Actual { return &Actual{Room: room, State: s.rooms[room].state} }

func (s *sim) Probe(context.Context) (matrix.Capabilities, error) {
	return matrix.Capabilities{RoomVersions: []string{s.version}, DefaultRoomVersion: s.version}, nil
}

// write does one write, with the faults that a test asks for around it.
func (s *sim) write(op string, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(time.Second)
	n := len(s.writes) + 1
	if s.fault != nil {
		if err := s.fault(n, false); err != nil {
			return err
		}
	}
	if s.refuse != nil {
		if err := s.refuse(op); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	s.writes = append(s.writes, op)
	if s.fault != nil {
		return s.fault(n, true)
	}
	return nil
}

// set puts an event into the state as a homeserver gives it back: through JSON.
func (s *sim) set(r *simRoom, sender, typ, key string, content any) {
	raw, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		panic(err)
	}
	raw, err = json.Marshal(map[string]any{
		"event_id": fmt.Sprintf("$%d", s.now.UnixNano()), "type": typ, "sender": sender, "state_key": key,
		"origin_server_ts": s.now.UnixMilli(), "content": c,
	})
	if err != nil {
		panic(err)
	}
	if r.state[Key{typ, key}], err = matrix.ParseEvent(r.id, raw); err != nil {
		panic(err)
	}
}

func (s *sim) member(r *simRoom, sender, user, membership string) {
	s.set(r, sender, typeMember, user, map[string]any{"membership": membership})
}

// in finds a room that somebody is in.
func (s *sim) in(room, user string) (*simRoom, power, error) {
	r := s.rooms[room]
	if r == nil || (&Actual{State: r.state}).member(user).is != "join" {
		return nil, power{}, forbidden
	}
	return r, powerIn(&Actual{State: r.state}), nil
}

func (s *sim) State(_ context.Context, room string) ([]*matrix.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, _, err := s.in(room, simBot)
	if err != nil {
		return nil, err
	}
	return slices.Collect(maps.Values(r.state)), nil
}

func (s *sim) PutState(_ context.Context, room, typ, key string, content any) (string, error) {
	return "$x", s.write("put "+typ, func() error { return s.put(simBot, room, typ, key, content) })
}

func (s *sim) put(sender, room, typ, key string, content any) error {
	r, p, err := s.in(room, sender)
	if err != nil {
		return err
	}
	c := object(content)
	if typ == typeMember {
		return s.moderate(r, p, sender, key, fmt.Sprint(c["membership"]))
	}
	if p.of(sender) < p.toSet(typ) {
		return forbidden
	}
	if typ == typeLevels {
		if err := mayWriteLevels(p, sender, c, r.version); err != nil {
			return err
		}
	}
	if s.swallow == nil || !s.swallow(typ) {
		s.set(r, sender, typ, key, content)
	}
	return nil
}

// mayWriteLevels is the rule for m.room.power_levels, entry by entry.
func mayWriteLevels(p power, sender string, next map[string]any, version string) error {
	own := p.of(sender)
	changed := func(a any, hasA bool, b any, hasB bool) error {
		m, _ := integer(a)
		n, _ := integer(b)
		if (hasA != hasB || m != n) && (hasA && m > own || hasB && n > own) {
			return forbidden
		}
		return nil
	}
	for key := range levelDefaults {
		a, hasA := p.content[key]
		b, hasB := next[key]
		if err := changed(a, hasA, b, hasB); err != nil {
			return err
		}
	}
	for _, of := range []string{"events", "notifications", "users"} {
		a, b := object(p.content[of]), object(next[of])
		for key := range union(a, b) {
			_, hasA := a[key]
			_, hasB := b[key]
			if err := changed(a[key], hasA, b[key], hasB); err != nil {
				return err
			}
			m, _ := integer(a[key])
			n, _ := integer(b[key])
			if of == "users" && key != sender && hasA && (!hasB || m != n) && m >= own {
				return forbidden
			}
		}
	}
	for user := range object(next["users"]) {
		if sovereign(version) && slices.Contains(p.creators, user) {
			return refusal(400, "M_UNKNOWN")
		}
	}
	return nil
}

// moderate is what somebody does to another's membership.
func (s *sim) moderate(r *simRoom, p power, sender, user, membership string) error {
	is := (&Actual{State: r.state}).member(user).is
	switch membership {
	case "invite":
		if is == "join" || is == "ban" || p.of(sender) < p.scalar("invite") {
			return forbidden
		}
	case "leave":
		if is == "ban" && p.of(sender) < p.scalar("ban") || p.of(sender) < p.scalar("kick") || p.of(user) >= p.of(sender) {
			return forbidden
		}
	case "ban":
		if p.of(sender) < p.scalar("ban") || p.of(user) >= p.of(sender) {
			return forbidden
		}
	default:
		return forbidden
	}
	s.member(r, sender, user, membership)
	return nil
}

func (s *sim) CreateRoom(_ context.Context, req matrix.CreateRoom) (id string, err error) {
	err = s.write("create "+req.Name, func() error {
		if s.aliases[s.Alias(req.Alias)] != "" {
			return refusal(400, "M_ROOM_IN_USE")
		}
		events, alias, now := 99, true, false
		if s.cut != nil {
			events, alias, now = s.cut()
		}
		id = s.made(req, events)
		if alias {
			s.aliases[s.Alias(req.Alias)] = id
		}
		if now {
			return errLost
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// errLost is a call without an answer.
var errLost = error(&matrix.Error{Message: "connection lost"})

// made makes a room with the first n of its events; without any there is only an
// id that an alias may point to.
func (s *sim) made(req matrix.CreateRoom, n int) string {
	s.ids++
	id := fmt.Sprintf("!room%d:%s", s.ids, simDomain)
	if n == 0 {
		return id
	}
	r := &simRoom{id: id, version: req.Version, state: map[Key]*matrix.Event{}}
	s.rooms[id], s.order = r, append(s.order, id)
	create := maps.Clone(req.CreationContent)
	create["room_version"] = req.Version
	events := []matrix.StateEvent{
		{Type: typeCreate, Content: create},
		{Type: typeMember, Key: simBot, Content: map[string]any{"membership": "join"}},
		{Type: typeLevels, Content: req.Levels},
		{Type: typeJoinRules, Content: map[string]any{"join_rule": "invite"}},
		{Type: typeHistory, Content: map[string]any{"history_visibility": "shared"}},
		{Type: typeGuests, Content: map[string]any{"guest_access": "can_join"}},
	}
	events = append(events, req.InitialState...)
	if req.Name != "" {
		events = append(events, matrix.StateEvent{Type: typeName, Content: map[string]any{"name": req.Name}})
	}
	events = append(events, matrix.StateEvent{Type: typeAlias, Content: map[string]any{"alias": s.Alias(req.Alias)}}) // as Dendrite
	for _, e := range events[:min(n, len(events))] {
		s.set(r, simBot, e.Type, e.Key, e.Content)
	}
	if n >= len(events) {
		for _, user := range req.Invite {
			s.member(r, simBot, user, "invite")
		}
	}
	return id
}

func (s *sim) ResolveAlias(_ context.Context, full string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.aliases[full]; id != "" {
		return id, nil
	}
	return "", refusal(404, "M_NOT_FOUND")
}

func (s *sim) DeleteAlias(_ context.Context, full string) error {
	return s.write("delete alias", func() error {
		delete(s.aliases, full)
		return nil
	})
}

func (s *sim) JoinedRooms(context.Context) (rooms []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.order {
		if _, _, err := s.in(id, simBot); err == nil {
			rooms = append(rooms, id)
		}
	}
	return rooms, nil
}

func (s *sim) EnsureGhost(_ context.Context, mxid, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ghosts[mxid] = name
	return nil
}

func (s *sim) Invite(_ context.Context, room, user, reason string) error {
	return s.write("invite "+user, func() error {
		if strings.HasPrefix(user, "@lanekeeper_") && s.ghosts[user] == "" {
			return errors.New("a ghost is invited before it exists")
		}
		r, p, err := s.in(room, simBot)
		if err != nil {
			return err
		}
		return s.reasoned(r, user, reason, s.moderate(r, p, simBot, user, "invite"))
	})
}

func (s *sim) Kick(_ context.Context, room, user, reason string) error {
	return s.write("kick "+user, func() error {
		r, p, err := s.in(room, simBot)
		if err != nil {
			return err
		}
		if (&Actual{State: r.state}).member(user).is == "ban" {
			return forbidden
		}
		return s.reasoned(r, user, reason, s.moderate(r, p, simBot, user, "leave"))
	})
}

// reasoned puts a reason into what was just done to somebody's membership.
func (s *sim) reasoned(r *simRoom, user, reason string, err error) error {
	if err == nil && reason != "" {
		is := (&Actual{State: r.state}).member(user).is
		s.set(r, simBot, typeMember, user, map[string]any{"membership": is, "reason": reason})
	}
	return err
}

func (s *sim) Upload(_ context.Context, _, typ string, file []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noMedia || typ != "image/png" {
		return "", refusal(403, "M_FORBIDDEN")
	}
	s.uploads++
	return fmt.Sprintf("mxc://%s/%d-%d", simDomain, s.uploads, len(file)), nil
}

func (s *sim) Join(_ context.Context, as, room string) error {
	if as == "" {
		as = simBot
	}
	return s.write("join "+as, func() error { return s.join(as, room) })
}

func (s *sim) join(user, room string) error {
	r := s.rooms[room]
	if r == nil {
		return refusal(404, "M_UNKNOWN")
	}
	a := &Actual{State: r.state}
	is := a.member(user).is
	first := len(r.state) == 1 && slices.Contains(a.Creators(), user)
	if is != "invite" && is != "join" && a.text(typeJoinRules, "join_rule") != "public" && !first {
		return forbidden
	}
	s.member(r, user, user, "join")
	return nil
}
