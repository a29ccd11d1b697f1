package action

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
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
func (a *Actions) spots(p *project.Project, q project.Request) []spot {
	id := metaCard(q.Number)
	if slices.Contains(a.Policy.Lanes(p), project.Notes) {
		return []spot{{id, effect.Place{Project: p.ID, Lane: string(project.Notes)}}}
	}
	var out []spot
	for _, user := range a.Policy.Approvers(p, q.User) {
		out = append(out, spot{id + ":" + user, effect.Place{Person: user}})
	}
	if len(out) == 0 {
		out = append(out, spot{id, effect.Place{SuperAdmin: true}})
	}
	return out
}

// sendCard puts the card of a new request where it can be decided.
func (a *Actions) sendCard(ctx context.Context, p *project.Project, q project.Request) error {
	spots := a.spots(p, q)
	b, err := json.Marshal(spots)
	if err != nil {
		return err
	}
	if err := a.Store.SetMeta(ctx, metaCard(q.Number), string(b)); err != nil {
		return err
	}
	content := a.cardContent(ctx, p, q, a.Policy.Approvers(p, q.User))
	var effects []effect.Effect
	for _, s := range spots {
		effects = append(effects, effect.Effect{Message: &effect.Message{ID: s.ID, To: s.To, Content: content, Then: []effect.Effect{
			effect.Sign(s.To, s.ID, "✅"), effect.Sign(s.To, s.ID, "❌"), // one tap decides
		}}})
	}
	return a.Store.Do(ctx, effects...)
}

// cardEdits shows on a card what became of its request: in the direct chat of somebody
// who decides nothing any more, that it is decided.
func (a *Actions) cardEdits(ctx context.Context, p *project.Project, q project.Request) ([]effect.Effect, error) {
	stored, err := a.Store.Meta(ctx, metaCard(q.Number))
	if err != nil || stored == "" {
		return nil, err
	}
	var spots []spot
	if err := json.Unmarshal([]byte(stored), &spots); err != nil {
		return nil, err
	}
	content := a.cardContent(ctx, p, q, nil)
	var effects []effect.Effect
	for _, s := range spots {
		m := &effect.Message{To: s.To, Edits: effect.To(s.ID), Content: content}
		if s.To.Person != "" && !a.Policy.Can(s.To.Person, policy.Approve, p) {
			m.Content = text.DecidedCard(q).Message()
		}
		effects = append(effects, effect.Effect{Message: m})
	}
	return effects, nil
}

func (a *Actions) cardContent(ctx context.Context, p *project.Project, q project.Request, mention []string) map[string]any {
	content := text.RequestCard(q, a.pill(ctx, q.User), a.pill(ctx, q.DecidedBy), text.LaneTitle(q.Lane, p.Name)).Mention(mention...).Message()
	content["lanekeeper.request"] = map[string]any{
		"number": q.Number, "project": p.ID, "lane": q.Lane, "access": q.Access.String(), "user": q.User, "state": q.State,
	}
	return content
}

// SignsHint reports whether to tell somebody which signs decide a card: once a card,
// who put another one on it while it is open and may decide.
func (a *Actions) SignsHint(ctx context.Context, user string, q *project.Request) (bool, error) {
	if may, err := a.MayDecide(ctx, user, q); err != nil || !may {
		return false, err
	}
	return a.Store.Once(ctx, "signs:"+metaCard(q.Number))
}

// MayDecide reports whether somebody may decide an open request: nobody their own.
func (a *Actions) MayDecide(ctx context.Context, user string, q *project.Request) (bool, error) {
	p, err := a.Store.Project(ctx, q.Project)
	return err == nil && q.State == project.Open && q.User != user && a.Policy.Can(user, policy.Approve, p), err
}

// Card finds the request whose card an event of a room is: made by the bot itself,
// and standing there. From a room where the card does not stand nobody has seen it.
// card says that it is one, q is nil where it does not stand.
func (a *Actions) Card(ctx context.Context, room, event string) (q *project.Request, card bool, err error) {
	id, err := a.Store.SentAs(ctx, event)
	if err != nil || !strings.HasPrefix(id, cardID) {
		return nil, false, err
	}
	if stands, _, err := a.Store.Sent(ctx, id); err != nil || stands != room {
		return nil, true, err
	}
	digits, _, _ := strings.Cut(strings.TrimPrefix(id, cardID), ":")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, false, nil
	}
	q, err = a.Store.Request(ctx, n)
	return q, true, err
}
