package handle

import (
	"context"
	"encoding/json"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// pause is how long an input waits for a database that does not answer.
const pause = time.Second

// Do handles one input. Outside of the transaction it only looks people up.
func (h *Handler) Do(ctx context.Context, job queue.Job) queue.Result {
	var in store.Input
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return queue.Result{Park: "an input that cannot be read", Err: err}
	}
	var ev *matrix.Event
	if in.Kind == store.InputEvent {
		var err error
		if ev, err = matrix.ParseEvent(in.Room, in.Raw); err != nil {
			return h.unreadable(ctx, in, err)
		}
		if !in.Old {
			h.lookUp(ctx, ev)
		}
	}
	return queue.Result{Commit: func(ctx context.Context) error { return h.input(ctx, in, ev) }}
}

// unreadable decides about an event that cannot be read. In a room of ours somebody
// has to look at it; in others anybody can make as many as they like.
func (h *Handler) unreadable(ctx context.Context, in store.Input, reason error) queue.Result {
	room, err := h.Store.RoomByID(ctx, in.Room)
	switch {
	case err != nil:
		return queue.Result{Retry: pause, Keep: true, Err: err}
	case room == nil:
		return queue.Result{}
	}
	return queue.Result{Park: "an event that cannot be read", Err: reason}
}

// Parked answers whoever sent a command that was set aside, in the transaction that
// does so.
func (h *Handler) Parked(ctx context.Context, job queue.Job) error {
	var in store.Input
	if json.Unmarshal(job.Payload, &in) != nil || in.Kind != store.InputEvent || in.Old {
		return nil
	}
	ev, err := matrix.ParseEvent(in.Room, in.Raw)
	if err != nil || ev.Type != "m.room.message" || h.Ours(ev.Sender) {
		return nil
	}
	room, err := h.Store.RoomByID(ctx, ev.Room)
	if err != nil || room == nil {
		return err
	}
	if welcome, err := h.welcome(ctx, ev, room); err != nil || !welcome {
		return err
	}
	return h.Commands.Broken(ctx, ev, room)
}
