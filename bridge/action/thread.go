package action

import (
	"context"
	"encoding/json"
	"strconv"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// thread is where somebody asked for access.
type thread struct {
	Room  string `json:"room"` // of the lane, "" if in their direct chat
	Root  string `json:"root"`
	Event string `json:"event"` // the command
}

func metaThread(n int64) string { return "asked:" + strconv.FormatInt(n, 10) }

// noteThread remembers where a request was typed.
func (a *Actions) noteThread(ctx context.Context, act Act, n int64) error {
	if act.Event == "" {
		return nil
	}
	b, err := json.Marshal(thread{act.Lane, act.Thread, act.Event})
	if err != nil {
		return err
	}
	return a.Store.SetMeta(ctx, metaThread(n), string(b))
}

// decided tells somebody what was decided on their access, in their direct chat, and
// that it was, in the thread where they asked. Everybody in the lane reads that: it
// names neither who decided nor why. Where they asked in the direct chat, what answered
// them there becomes that it was: the rest stands below it.
func (a *Actions) decided(ctx context.Context, p *project.Project, c project.Change, w text.Words) error {
	told := []effect.Effect{inDirect(c.User, w)}
	for _, q := range c.Closed {
		stored, err := a.Store.Meta(ctx, metaThread(q.Number))
		if err != nil {
			return err
		}
		var t thread
		if stored == "" || json.Unmarshal([]byte(stored), &t) != nil {
			continue
		}
		m := inThread(t, q)
		if t.Room == "" {
			m = firstNotice(c.User, t, q)
		}
		told = append(told, effect.Effect{Message: m})
	}
	return a.tell(ctx, p, []string{c.User}, told...)
}

// inThread says in the thread where somebody asked that it is decided: a reply notifies
// them, as an edit of the first notice would not.
func inThread(t thread, q project.Request) *effect.Message {
	m := &effect.Message{To: effect.Place{Room: t.Room}, Content: text.DecidedInLane(q).Notice(), Thread: effect.Ref(t.Event)}
	if t.Root != "" {
		m.Thread, m.ReplyTo = effect.Ref(t.Root), effect.Ref(t.Event)
	}
	return m
}

// firstNotice is the edit of what answered a request in a direct chat.
func firstNotice(user string, t thread, q project.Request) *effect.Message {
	answer := store.Answer{Command: t.Event}
	content := text.DecidedInDirect(q).Notice()
	content["lanekeeper.result"] = map[string]any{"ok": true, "command": "request", "request": q.Number, "state": q.State}
	return &effect.Message{To: effect.Place{Person: user}, Edits: effect.To(answer.ID()), Content: content}
}
