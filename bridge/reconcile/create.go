package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
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
	by := r.keeper(s.project)
	id, err := r.earlier(ctx, row.Alias, by)
	if err != nil {
		return nil, err
	}
	version, err := r.newVersion(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" {
		if id, err = r.make(ctx, d, row, version, by); err != nil {
			return nil, r.over(ctx, row.Alias, err)
		}
	}
	v, err := r.made(ctx, row, id, version, d.Welcome)
	if err != nil {
		return nil, err
	}
	row.ID, row.Version = id, version
	s.made(row)
	s.views[d.Kind] = v
	return row, nil
}

// made records that a room exists, together with its state: what the sync brought
// of it before that belonged to no room of ours, and was not kept. The first word in the
// room is written with it, and so once.
func (r *Reconciler) made(ctx context.Context, row *store.Room, id, version string, welcome text.Words) (*view, error) {
	a, out, err := r.read(ctx, id, true)
	if err != nil {
		return nil, err
	}
	return &view{a, out}, r.Store.Tx(ctx, func(ctx context.Context) error {
		if err := r.Store.MadeRoom(ctx, row.Alias, id, version); err != nil || out {
			return err
		}
		if welcome.Plain != "" {
			if err := r.tell(ctx, effect.Place{Room: id}, welcome); err != nil {
				return err
			}
		}
		return r.Store.PutState(ctx, slices.Collect(maps.Values(a.State))...)
	})
}

// settling is how long a homeserver may at least go on with a creation whose client
// is gone. Dendrite does, and the room appears only at the end. Where the client
// waited for longer than that in vain, it may take as long again.
var settling = 3 * time.Second

// aliasYoung is for how long after the end of a try an alias whose room cannot be had
// is left alone: a homeserver under load takes its time between the two.
var aliasYoung = time.Minute

// attempt is when the last creation with an alias began, and when we stopped
// waiting for it; zero: the process that did may have died.
type attempt struct{ begun, ended time.Time }

// stored as two numbers of milliseconds; what cannot be read is long ago.
func readAttempt(raw string) (a attempt) {
	begun, ended, _ := strings.Cut(raw, " ")
	ms := func(s string) time.Time {
		n, _ := strconv.ParseInt(s, 10, 64)
		if n == 0 {
			return time.Time{}
		}
		return time.UnixMilli(n)
	}
	return attempt{ms(begun), ms(ended)}
}

func (a attempt) String() string {
	if a.ended.IsZero() {
		return strconv.FormatInt(a.begun.UnixMilli(), 10)
	}
	return fmt.Sprint(a.begun.UnixMilli(), " ", a.ended.UnixMilli())
}

// last is the latest moment of it that is known.
func (a attempt) last() time.Time {
	if a.ended.IsZero() {
		return a.begun
	}
	return a.ended
}

// over is when nothing of it can be under way any more.
func (a attempt) over() time.Time {
	return a.last().Add(max(settling, a.last().Sub(a.begun)))
}

// earlier looks for what earlier tries made, and notes that there is one more. As
// long as one may still be under way, there is no other.
func (r *Reconciler) earlier(ctx context.Context, alias, by string) (id string, err error) {
	raw, err := r.Store.Meta(ctx, creating(alias))
	if err != nil {
		return "", err
	}
	now := r.Store.Now()
	if raw != "" {
		last := readAttempt(raw)
		seen := last.over()
		if recent := now.Add(-freshListing); recent.Before(seen) { // nothing is concluded from that yet
			seen = recent
		}
		if id, err = r.leftover(ctx, alias, by, last.last(), seen); id != "" || err != nil {
			return id, err
		}
		if wait := last.over().Sub(now); wait > 0 {
			return "", underCreation(wait)
		}
	}
	return "", r.Store.SetMeta(ctx, creating(alias), attempt{begun: now}.String())
}

// underCreation lets a creation wait for an earlier one.
func underCreation(wait time.Duration) error {
	return &matrix.Error{Message: "a creation that was cut off may still be under way", RetryAfter: min(max(wait, time.Second), 10*time.Second)}
}

// creating is where it stands since when the last try may be under way.
func creating(alias string) string { return "creating " + alias }

// over notes what is known of the end of a try: nothing is under way any more if it
// was refused, and the next one shall name the refusal, and not wait.
func (r *Reconciler) over(ctx context.Context, alias string, err error) error {
	mark := creating(alias)
	switch {
	case postponed(err):
		return err
	case !matrix.Temporary(err):
		return errors.Join(err, r.Store.SetMeta(ctx, mark, ""))
	}
	raw, metaErr := r.Store.Meta(ctx, mark)
	if metaErr != nil || raw == "" {
		return errors.Join(err, metaErr)
	}
	last := readAttempt(raw)
	last.ended = r.Store.Now()
	return errors.Join(err, r.Store.SetMeta(ctx, mark, last.String()))
}

// make asks for the room. Where the homeserver says that the alias is taken, or
// refuses after it took it, the room may stand all the same.
func (r *Reconciler) make(ctx context.Context, d *Desired, row *store.Room, version, by string) (string, error) {
	id, err := r.HS.CreateRoom(ctx, request(d, row, version))
	if err == nil || matrix.Temporary(err) {
		return id, err
	}
	now := r.Store.Now()
	found, lookErr := r.leftover(ctx, row.Alias, by, now, now)
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

// leftover finds the room that an earlier try by one of ours, not later than a moment,
// made; "" if there is none. An alias without a room that can be had is deleted when it
// is old. Rooms without an alias are looked for among those there were after seen.
func (r *Reconciler) leftover(ctx context.Context, alias, by string, last, seen time.Time) (string, error) {
	full := r.HS.Alias(alias)
	id, err := r.HS.ResolveAlias(ctx, full)
	if refused(err) {
		return r.unnamed(ctx, alias, by, seen)
	}
	if err != nil {
		return "", err
	}
	ours, err := r.recognise(ctx, id, birth{by, alias}, true)
	if ours || err != nil {
		return id, err
	}
	if wait := last.Add(aliasYoung).Sub(r.Store.Now()); wait > 0 {
		return "", underCreation(wait)
	}
	if err := r.HS.DeleteAlias(ctx, full); err != nil && !refused(err) {
		return "", err
	}
	return "", nil
}

// birth is by whom and with which key a room was made: what never changes of it.
type birth struct{ by, key string }

func bornOf(create *matrix.Event) birth {
	if create == nil {
		return birth{}
	}
	key, _ := create.Content[keyOfCreation].(string)
	return birth{create.Sender, key}
}

// recognise reports whether a room is the one that was made so, by what stands in it
// from its first event on. With join, the bot tries to get in first if it is not there:
// its own join may be what is missing.
func (r *Reconciler) recognise(ctx context.Context, room string, made birth, join bool) (bool, error) {
	a, out, err := r.read(ctx, room, true)
	if err != nil {
		return false, fmt.Errorf("room that may be ours: %w", err)
	}
	if out && join {
		if err := r.HS.Join(ctx, made.by, room); matrix.Temporary(err) && !serverError(err) {
			return false, err
		} else if err != nil {
			return false, nil
		}
		return r.recognise(ctx, room, made, false)
	}
	return !out && bornOf(a.State[Key{typeCreate, ""}]) == made, nil
}
