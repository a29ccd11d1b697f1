package command

import (
	"context"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Broken answers a message whose handling failed for good, if it is a command:
// every command gets an answer.
func (c *Commands) Broken(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if ev.MsgType() != "m.text" || ev.Replaces() != "" {
		return nil
	}
	words, prefixed := c.cut(typed(ev.Content))
	if !prefixed && room.Kind != store.Direct {
		return nil
	}
	k := &call{Commands: c, line: line{rest: words}, whole: words, ev: ev, room: room, sender: ev.Sender, now: c.Store.Now()}
	cmd := k.find()
	k.aside = k.discreet(cmd)
	refused := project.Refuse(project.InternalError, "%s", text.BrokenForSender())
	if k.aside || room.Kind != string(project.Customer) || cmd != nil && cmd.customer {
		return k.answer(ctx, nil, refused)
	}
	p, err := c.Store.Project(ctx, room.Project)
	if err != nil {
		return err
	}
	if c.Policy.Works(ev.Sender, p) { // the customer shall not read it
		return k.takeOut(ctx, p, project.InternalError)
	}
	a := store.Answer{Command: ev.ID, To: effect.Place{Person: ev.Sender}, Words: text.Sentence(refused.Sentence), Result: result(k.name, false, map[string]any{"error": refused.Code})}
	return c.Store.Do(ctx, a.Message())
}
