package reconcile

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// freshListing is how old a listing of rooms may be that is asked again and again
// while a creation may still be under way.
const freshListing = time.Second

// listing is which rooms the bot is in that the store does not know. An outage cuts many
// creations off, and a homeserver lists all rooms or none: what one of them asks for
// serves all whose try was over by then.
type listing struct {
	mu    sync.Mutex
	began time.Time
	rooms map[string]birth // by id
}

// unnamed looks for a room that got no alias among those that the bot was in after a
// moment and the store does not know. They are few, and this is asked only after a
// creation that was cut off.
func (r *Reconciler) unnamed(ctx context.Context, alias, by string, seen time.Time) (string, error) {
	l := &r.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := r.Store.Now(); !l.began.After(seen) || l.began.After(now) {
		if err := r.list(ctx, now); err != nil {
			return "", err
		}
	}
	made := birth{by, alias}
	for id, born := range l.rooms {
		if born != made {
			continue
		}
		if there, err := r.recognise(ctx, id, made, false); there || err != nil {
			return id, err
		}
	}
	return "", nil
}

// list asks anew. Of a room that was listed before it is known how it was made.
func (r *Reconciler) list(ctx context.Context, began time.Time) error {
	rooms, err := r.HS.JoinedRooms(ctx)
	if err != nil {
		return err
	}
	known, err := r.Store.RoomsByID(ctx, rooms)
	if err != nil {
		return err
	}
	found := map[string]birth{}
	for _, id := range rooms {
		if known[id] != nil {
			continue
		}
		born, ok := r.listing.rooms[id]
		if !ok {
			if born, ok, err = r.born(ctx, id); err != nil {
				return err
			}
		}
		if ok {
			found[id] = born
		}
	}
	r.listing.began, r.listing.rooms = began, found
	return nil
}

// born says how a room was made, by what the sync told of it, else by what stands
// there; false: that cannot be read.
func (r *Reconciler) born(ctx context.Context, room string) (birth, bool, error) {
	if create, err := r.Store.StateEvent(ctx, room, typeCreate, ""); create != nil || err != nil {
		return bornOf(create), err == nil, err
	}
	a, out, err := r.read(ctx, room, true)
	if out || err != nil {
		if err != nil {
			err = fmt.Errorf("room that may be ours: %w", err)
		}
		return birth{}, false, err
	}
	return bornOf(a.State[Key{typeCreate, ""}]), true, nil
}
