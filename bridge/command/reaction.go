package command

import (
	"context"
	"errors"
	"time"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Reaction decides a request by ✅ or ❌ on its card. What counts is the right at
// this moment. Whoever may decide and takes another sign hears once which ones count.
func (c *Commands) Reaction(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	target, key := ev.Annotates()
	q, card, err := c.Actions.Card(ctx, ev.Room, target)
	if q == nil || err != nil {
		return card, err
	}
	decide := c.verdict(key)
	if decide == nil {
		if hint, err := c.Actions.SignsHint(ctx, ev.Sender, q); err != nil || !hint {
			return true, err
		}
		return true, c.tell(ctx, ev.Sender, text.SignsOfCard(q.Number))
	}
	if q.State == project.Open && c.Store.Now().Sub(ev.TS) > TooOld {
		if may, err := c.Actions.MayDecide(ctx, ev.Sender, q); err != nil || !may {
			return true, err
		}
		return true, c.tell(ctx, ev.Sender, text.StaleReaction(key, q.Number)) // a command typed after it would be refused
	}
	act := action.Act{By: ev.Sender, Door: action.Reaction, At: ev.TS, Event: ev.ID}
	_, err = decide(ctx, act, q.Project, project.Decision{Number: q.Number})
	var refused *project.Error
	if errors.As(err, &refused) {
		return true, c.tell(ctx, ev.Sender, text.RefusedReactionForApprover(q.Number, refused.Sentence))
	}
	return true, err
}

// verdict is the action that a reaction on a request's card stands for; nil: none.
func (c *Commands) verdict(key string) func(context.Context, action.Act, string, project.Decision) (*action.Done, error) {
	switch {
	case handoff.IsYes(key):
		return c.Actions.Approve
	case handoff.IsNo(key):
		return c.Actions.Deny
	}
	return nil
}

// tell answers a reaction: in the direct chat of who put it.
func (c *Commands) tell(ctx context.Context, user string, w text.Words) error {
	return c.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{Person: user}, Content: w.Notice()}})
}

// Hand asks a person about a message, by 🙋 of whoever wrote it. On somebody
// else's message it asks nobody, which is said.
func (c *Commands) Hand(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	target, _ := ev.Annotates()
	m, err := c.Store.Message(ctx, target)
	if err != nil || m == nil || m.Room != room.ID || m.Redacted {
		return err
	}
	if !room.IsLane() && room.Kind != store.Direct {
		return nil
	}
	if may, err := c.Actions.MayAsk(ctx, ev.Sender, room.Project); err != nil || !may {
		return err
	}
	if m.Sender != ev.Sender {
		return c.otherHand(ctx, ev, room)
	}
	switch over, first, err := c.Store.Spend(ctx, ev.Sender, store.MeterCommands, ev.TS, time.Minute, c.PerMinute); {
	case err != nil || over && !first:
		return err
	case first:
		return c.tell(ctx, ev.Sender, text.Sentence(text.TooManyForSender(c.PerMinute)))
	}
	_, err = c.Relay.Ask(ctx, relay.AskInput{
		Asker: ev.Sender, Name: c.Store.NameIn(ctx, ev.Sender, room.ID), Room: room, Event: m.Event,
		Question: m.Body, ByReaction: true, Thread: m.Thread, At: ev.TS,
	})
	var refused *project.Error
	if errors.As(err, &refused) {
		return c.tell(ctx, ev.Sender, text.Sentence(refused.Sentence))
	}
	return err
}

// otherHand answers 🙋 on what somebody else wrote, in a lane, once a day: people put
// it for other reasons, too. In a direct chat it can only be on words of the bot's.
func (c *Commands) otherHand(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if !room.IsLane() {
		return nil
	}
	over, _, err := c.Store.Spend(ctx, ev.Sender, store.MeterHands, ev.TS, 24*time.Hour, 1)
	if err != nil || over {
		return err
	}
	return c.tell(ctx, ev.Sender, text.HandForPerson(c.Prefix))
}
