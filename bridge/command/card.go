package command

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// cardID begins the effect ID of every request card; the number follows.
const cardID = "request:"

// spot is one place where a card stands.
type spot struct {
	ID string       `json:"id"`
	To effect.Place `json:"to"`
}

func metaCard(n int64) string { return cardID + strconv.FormatInt(n, 10) }

// spots says where approvers see a card and requesters do not: in the notes lane
// where the project has one, else in each approver's direct chat.
func (c *Commands) spots(p *project.Project, q project.Request) []spot {
	id := metaCard(q.Number)
	if slices.Contains(c.Policy.Lanes(p), project.Notes) {
		return []spot{{id, effect.Place{Project: p.ID, Lane: string(project.Notes)}}}
	}
	var out []spot
	for _, user := range c.Policy.Approvers(p, q.User) {
		out = append(out, spot{id + ":" + user, effect.Place{Person: user}})
	}
	if len(out) == 0 {
		out = append(out, spot{id, effect.Place{SuperAdmin: true}})
	}
	return out
}

// sendCard puts the card of a new request where it can be decided.
func (c *Commands) sendCard(ctx context.Context, p *project.Project, q project.Request) error {
	spots := c.spots(p, q)
	b, err := json.Marshal(spots)
	if err != nil {
		return err
	}
	if err := c.Store.SetMeta(ctx, metaCard(q.Number), string(b)); err != nil {
		return err
	}
	content := c.cardContent(ctx, p, q, c.Policy.Approvers(p, q.User))
	var effects []effect.Effect
	for _, s := range spots {
		effects = append(effects, effect.Effect{Message: &effect.Message{ID: s.ID, To: s.To, Content: content}})
	}
	return c.Store.Do(ctx, effects...)
}

// cardEdits shows on a card what became of its request.
func (c *Commands) cardEdits(ctx context.Context, p *project.Project, q project.Request) ([]effect.Effect, error) {
	stored, err := c.Store.Meta(ctx, metaCard(q.Number))
	if err != nil || stored == "" {
		return nil, err
	}
	var spots []spot
	if err := json.Unmarshal([]byte(stored), &spots); err != nil {
		return nil, err
	}
	content := c.cardContent(ctx, p, q, nil)
	var effects []effect.Effect
	for _, s := range spots {
		effects = append(effects, effect.Effect{Message: &effect.Message{To: s.To, Edits: effect.To(s.ID), Content: content}})
	}
	return effects, nil
}

func (c *Commands) cardContent(ctx context.Context, p *project.Project, q project.Request, mention []string) map[string]any {
	by := text.Pill{ID: q.DecidedBy, Name: c.Store.Name(ctx, q.DecidedBy)}
	content := text.RequestCard(q, text.Pill{ID: q.User, Name: c.Store.Name(ctx, q.User)}, by, title(p, q.Lane)).Mention(mention...).Message()
	content["lanekeeper.request"] = map[string]any{
		"number": q.Number, "project": p.ID, "lane": q.Lane, "access": q.Access.String(), "user": q.User, "state": q.State,
	}
	return content
}

// Reaction decides a request by ✅ or ❌ on its card. What counts is the right at
// this moment, and that the bot itself made the card.
func (c *Commands) Reaction(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	target, key := ev.Annotates()
	as, ok := verdict(key)
	if !ok {
		return false, nil
	}
	id, err := c.Store.SentAs(ctx, target)
	if err != nil || !strings.HasPrefix(id, cardID) {
		return false, err
	}
	if stands, _, err := c.Store.Sent(ctx, id); err != nil || stands != ev.Room {
		return true, err // from a room where the card does not stand nobody has seen it
	}
	digits, _, _ := strings.Cut(strings.TrimPrefix(id, cardID), ":")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return false, nil
	}
	q, err := c.Store.Request(ctx, n)
	if err != nil || q == nil {
		return true, err
	}
	p, err := c.Store.Project(ctx, q.Project)
	if err != nil || p == nil {
		return true, err
	}
	told, revision, err := c.byReaction(ctx, p, q, ev, as)
	var refused *project.Error
	if errors.As(err, &refused) {
		return true, c.Store.Do(ctx, tell(ev.Sender, text.Say("#%d: %s", n, text.Sentence(refused.Sentence))))
	}
	if err != nil || len(told) == 0 {
		return true, err
	}
	return true, c.Store.AnswerWhen(ctx, &store.Answer{Command: ev.ID, Then: told}, p.ID, revision)
}

func (c *Commands) byReaction(ctx context.Context, p *project.Project, q *project.Request, ev *matrix.Event, as project.RequestState) ([]effect.Effect, int64, error) {
	if !c.Policy.Can(ev.Sender, "approve", p) {
		return nil, 0, notAllowed()
	}
	_, told, err := c.decide(ctx, p, project.Decision{By: ev.Sender, Number: q.Number}, as, ev.TS)
	return told, p.Revision, err
}

func verdict(key string) (project.RequestState, bool) {
	switch strings.TrimSuffix(key, "\ufe0f") {
	case "✅":
		return project.Approved, true
	case "❌":
		return project.Denied, true
	}
	return "", false
}
