package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// create makes a room, once, whatever happens in between: the row with a random
// alias is committed first, so that every try asks for the same alias, and what an
// earlier try left behind is found by it. What is found is adopted as it is; the
// next round of the look compares all of it.
//
// Homeservers make rooms in steps and can be cut off at each. Synapse reserves the
// alias first and may leave it without a room. Dendrite sets it last and may leave
// the room without it.
func (r *Reconciler) create(ctx context.Context, s *subject, d *Desired, user string) (*store.Room, error) {
	row, err := r.Store.PrepareRoom(ctx, d.Kind, d.Project, user)
	if err != nil {
		return nil, err
	}
	if row.ID != "" {
		s.made(row)
		return row, nil
	}
	if d.Project != "" {
		if err := r.readable(ctx); err != nil {
			return nil, err
		}
	}
	id, err := r.earlier(ctx, row.Alias)
	if err != nil {
		return nil, err
	}
	version, err := r.newVersion(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" {
		if id, err = r.make(ctx, d, row, version); err != nil {
			return nil, r.over(ctx, row.Alias, err)
		}
	}
	v, err := r.made(ctx, row.Alias, id, version)
	if err != nil {
		return nil, err
	}
	row.ID, row.Version = id, version
	s.made(row)
	s.views[d.Kind] = v
	return row, nil
}

// made records that a room exists, together with its state: what the sync brought
// of it before that belonged to no room of ours, and was not kept.
func (r *Reconciler) made(ctx context.Context, alias, id, version string) (*view, error) {
	a, out, err := r.read(ctx, id, true)
	if err != nil {
		return nil, err
	}
	return &view{a, out}, r.Store.Tx(ctx, func(ctx context.Context) error {
		if err := r.Store.MadeRoom(ctx, alias, id, version); err != nil || out {
			return err
		}
		return r.Store.PutState(ctx, slices.Collect(maps.Values(a.State))...)
	})
}

// settling is how long a homeserver may go on with a creation whose client is gone.
// Dendrite does, and the room appears only at the end.
var settling = 3 * time.Second

// earlier looks for what earlier tries made, and notes that there is one more. As
// long as one may still be under way, there is no other.
func (r *Reconciler) earlier(ctx context.Context, alias string) (id string, err error) {
	mark := creating(alias)
	raw, err := r.Store.Meta(ctx, mark)
	if err != nil {
		return "", err
	}
	now := r.Store.Now()
	if raw != "" {
		if id, err = r.leftover(ctx, alias); id != "" || err != nil {
			return id, err
		}
		begun, _ := strconv.ParseInt(raw, 10, 64) // what cannot be read is long ago
		if wait := time.UnixMilli(begun).Add(settling).Sub(now); wait > 0 {
			return "", &matrix.Error{Message: "a creation that was cut off may still be under way", RetryAfter: min(wait, settling)}
		}
	}
	return "", r.Store.SetMeta(ctx, mark, strconv.FormatInt(now.UnixMilli(), 10))
}

// creating is where it stands since when the last try may be under way.
func creating(alias string) string { return "creating " + alias }

// over notes that nothing is under way any more if a try was refused: the next one
// shall name the refusal, and not wait.
func (r *Reconciler) over(ctx context.Context, alias string, err error) error {
	if matrix.Temporary(err) {
		return err
	}
	return errors.Join(err, r.Store.SetMeta(ctx, creating(alias), ""))
}

// make asks for the room. Where the homeserver says that the alias is taken, or
// refuses after it took it, the room may stand all the same.
func (r *Reconciler) make(ctx context.Context, d *Desired, row *store.Room, version string) (string, error) {
	id, err := r.HS.CreateRoom(ctx, request(d, row, version))
	if err == nil || matrix.Temporary(err) {
		return id, err
	}
	found, lookErr := r.leftover(ctx, row.Alias)
	if found != "" || lookErr != nil {
		return found, lookErr
	}
	if !matrix.AliasTaken(err) {
		return "", err
	}
	return r.HS.CreateRoom(ctx, request(d, row, version)) // leftover has freed the alias
}

// request is everything that a room begins with. Nobody is invited by it, but to a
// direct chat, where only that tells clients what the room is. The preset is
// private_chat: trusted_private_chat would make invited people creators.
func request(d *Desired, row *store.Room, version string) matrix.CreateRoom {
	req := matrix.CreateRoom{
		Alias: row.Alias, Version: version, Preset: "private_chat",
		CreationContent: map[string]any{keyOfCreation: row.Alias},
		// Without it homeservers show the alias to everybody in the room.
		InitialState: []matrix.StateEvent{{Type: typeAlias, Content: map[string]any{}}},
	}
	if d.Kind == store.Direct {
		req.Direct, req.Invite = true, []string{row.User}
	} else {
		req.Name = d.Title
	}
	if d.Type != "" {
		req.CreationContent["type"] = d.Type
	}
	empty := &differ{d: d, a: NewActual("", nil)}
	req.Levels = d.Levels(version, empty.listed())
	for _, typ := range guards {
		if content, ok := d.State[Key{typ, ""}]; ok {
			req.InitialState = append(req.InitialState, matrix.StateEvent{Type: typ, Content: content})
		}
	}
	for _, c := range d.Children {
		if c.Room != "" {
			req.InitialState = append(req.InitialState, matrix.StateEvent{Type: typeChild, Key: c.Room, Content: c.content()})
		}
	}
	return req
}

// leftover finds the room that an earlier try made; "" if there is none. An alias
// without a room that can be had is deleted.
func (r *Reconciler) leftover(ctx context.Context, alias string) (string, error) {
	full := r.HS.Alias(alias)
	id, err := r.HS.ResolveAlias(ctx, full)
	if refused(err) {
		return r.unnamed(ctx, alias)
	}
	if err != nil {
		return "", err
	}
	ours, err := r.recognise(ctx, id, alias, true)
	if ours || err != nil {
		return id, err
	}
	if err := r.HS.DeleteAlias(ctx, full); err != nil && !refused(err) {
		return "", err
	}
	return "", nil
}

// unnamed looks for a room that got no alias among those that the bot is in and
// the store does not know. They are few, and this is asked only after a creation
// that was cut off.
func (r *Reconciler) unnamed(ctx context.Context, alias string) (string, error) {
	rooms, err := r.HS.JoinedRooms(ctx)
	if err != nil {
		return "", err
	}
	known, err := r.Store.RoomsByID(ctx, rooms)
	if err != nil {
		return "", err
	}
	for _, id := range rooms {
		if known[id] != nil {
			continue
		}
		if ours, err := r.recognise(ctx, id, alias, false); ours || err != nil {
			return id, err
		}
	}
	return "", nil
}

// recognise reports whether a room is the one that was made with an alias, by what
// stands in it from its first event on. With join, the bot tries to get in first
// if it is not there: its own join may be what is missing.
func (r *Reconciler) recognise(ctx context.Context, room, alias string, join bool) (bool, error) {
	a, out, err := r.read(ctx, room, true)
	if err != nil {
		return false, fmt.Errorf("room that may be ours: %w", err)
	}
	if out && join {
		if err := r.HS.Join(ctx, "", room); matrix.Temporary(err) && !serverError(err) {
			return false, err
		} else if err != nil {
			return false, nil
		}
		return r.recognise(ctx, room, alias, false)
	}
	if out {
		return false, nil
	}
	create := a.State[Key{typeCreate, ""}]
	return create != nil && create.Sender == r.HS.Bot() && create.Content[keyOfCreation] == alias, nil
}
