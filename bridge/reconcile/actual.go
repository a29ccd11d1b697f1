package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/matrix"
)

// The state that is compared.
const (
	typeCreate     = "m.room.create"
	typeMember     = "m.room.member"
	typeLevels     = "m.room.power_levels"
	typeJoinRules  = "m.room.join_rules"
	typeGuests     = "m.room.guest_access"
	typeHistory    = "m.room.history_visibility"
	typeName       = "m.room.name"
	typeTopic      = "m.room.topic"
	typeAvatar     = "m.room.avatar"
	typeAlias      = "m.room.canonical_alias"
	typeEncryption = "m.room.encryption"
	typeTombstone  = "m.room.tombstone"
	typeServerACL  = "m.room.server_acl"
	typeChild      = "m.space.child"
	typeParent     = "m.space.parent"
	typeLane       = "lanekeeper.lane"
	typeProject    = "lanekeeper.project"
)

// keyOfCreation is the field of m.room.create that holds the localpart of the
// room's alias. It is the first thing that exists of a room, so that what a
// creation left behind, cut off at any moment, is recognised.
const keyOfCreation = "lanekeeper.key"

// Key names a piece of a room's state.
type Key struct{ Type, Key string }

// Actual is a room as it is.
type Actual struct {
	Room  string
	State map[Key]*matrix.Event
}

// NewActual sorts the state of a room. Where a piece comes twice the last counts.
func NewActual(room string, events []*matrix.Event) *Actual {
	a := &Actual{Room: room, State: make(map[Key]*matrix.Event, len(events))}
	for _, e := range events {
		if e.StateKey != nil {
			a.State[Key{e.Type, *e.StateKey}] = e
		}
	}
	return a
}

// Content is the content of a piece of state; nil if there is none.
func (a *Actual) Content(typ, key string) map[string]any {
	if e := a.State[Key{typ, key}]; e != nil {
		return e.Content
	}
	return nil
}

func (a *Actual) text(typ, field string) string {
	s, _ := a.Content(typ, "")[field].(string)
	return s
}

// Version is the room version; rooms that name none are of version 1
// (https://spec.matrix.org/v1.15/client-server-api/#mroomcreate).
func (a *Actual) Version() string {
	if v := a.text(typeCreate, "room_version"); v != "" {
		return v
	}
	return "1"
}

// Creators are those who made the room: the sender of m.room.create, and the
// additional ones of room version 12.
func (a *Actual) Creators() []string {
	e := a.State[Key{typeCreate, ""}]
	if e == nil {
		return nil
	}
	creators := []string{e.Sender}
	more, _ := e.Content["additional_creators"].([]any)
	for _, v := range more {
		if user, ok := v.(string); ok {
			creators = append(creators, user)
		}
	}
	return creators
}

// sovereign reports whether creators stand above all levels (MSC4289, from room
// version 12).
func sovereign(version string) bool {
	n, err := strconv.Atoi(version)
	return err == nil && n >= 12
}

// membership is how somebody stands in a room.
type membership struct {
	is string    // join, invite, leave, ban, knock, or "" if they never were there
	by string    // who made it so
	at time.Time // by the homeserver's clock
}

func (a *Actual) member(user string) membership {
	e := a.State[Key{typeMember, user}]
	if e == nil {
		return membership{}
	}
	return membership{is: e.Membership(), by: e.Sender, at: e.TS}
}

func (a *Actual) users() []string {
	var users []string
	for k := range a.State {
		if k.Type == typeMember && strings.HasPrefix(k.Key, "@") {
			users = append(users, k.Key)
		}
	}
	slices.Sort(users)
	return users
}

// keysOf lists the state keys of a type that have content, in order.
func (a *Actual) keysOf(typ string) []string {
	var keys []string
	for k, e := range a.State {
		if k.Type == typ && len(e.Content) > 0 {
			keys = append(keys, k.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// same compares two contents as JSON has them, so that 50 and 50.0 are equal.
func same(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	x, err := json.Marshal(a) // maps are written in the order of their keys
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}

// read gives the state of a room. out is true where the bot may not read it: it
// is not in the room, or there is no such room.
func (r *Reconciler) read(ctx context.Context, room string, live bool) (a *Actual, out bool, err error) {
	var events []*matrix.Event
	if !live {
		events, err = r.Store.State(ctx, room)
		return NewActual(room, events), err == nil && len(events) == 0, err
	}
	events, err = r.HS.State(ctx, room)
	if refused(err) {
		return nil, true, nil
	}
	return NewActual(room, events), false, err
}

// refused reports whether the homeserver says that the bot may not, or that there
// is no such thing. Everything else says nothing about the room.
func refused(err error) bool {
	var e *matrix.Error
	return errors.As(err, &e) && !matrix.Temporary(err) && (e.Status == http.StatusForbidden || e.Status == http.StatusNotFound)
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
