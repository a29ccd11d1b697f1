package relay

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// At is where a command stands: it names the handoff when no number does.
type At struct {
	Room    *store.Room
	Event   string // the command
	Thread  string // root of the thread it stands in, "" if in none
	ReplyTo string // what it answers, "" if nothing
}

// A page of a list is one message: it shows as many handoffs as fit, and says where the
// next one begins.
const (
	listed      = 40
	listedBytes = 9_000
)

// find gives the handoff that a command means. Whoever may not touch it reads the
// same whether it exists or not; own says that askers may, too.
func (r *Relay) find(ctx context.Context, actor string, at At, n int64, own bool) (*handoff.Handoff, error) {
	h, err := r.named(ctx, at, n)
	if err != nil {
		return nil, err
	}
	switch may := r.May(actor); {
	case h != nil && own && h.Asker(actor) != nil && (!at.Room.IsLane() || here(h, at.Room)):
		return h, nil
	case !may && h == nil && n == 0 && own:
		return nil, project.Refuse(project.BadArgument, "%s", text.WhichHandoffForAnyone())
	case !may:
		return nil, project.Forbidden()
	case h == nil && n == 0:
		return nil, project.Refuse(project.BadArgument, "%s", text.WhichHandoffForAnyone())
	case h == nil:
		return nil, project.Refuse(project.NotFound, "%s", text.NoHandoffForStaff(n))
	case at.Room.IsLane() && !here(h, at.Room):
		return nil, project.Refuse(project.WrongRoom, "%s", text.OtherRoomForStaff(n))
	}
	return h, nil
}

func (r *Relay) named(ctx context.Context, at At, n int64) (*handoff.Handoff, error) {
	if n != 0 {
		return r.Store.Handoff(ctx, n)
	}
	switch {
	case at.Room.Kind == store.SuperAdmin:
		return r.byCard(ctx, at.Thread)
	case at.Thread != "":
		return r.byMessage(ctx, at.Room, at.Thread)
	case at.ReplyTo != "":
		if h, err := r.byMessage(ctx, at.Room, at.ReplyTo); h != nil || err != nil {
			return h, err
		}
	}
	if at.Room.Kind == store.Direct {
		return r.onlyInDirect(ctx, at.Room.User)
	}
	return nil, nil
}

// onlyInDirect is the handoff that is open in a direct chat; which one is asked where
// there are several.
func (r *Relay) onlyInDirect(ctx context.Context, user string) (*handoff.Handoff, error) {
	all, err := r.Store.HandoffsInDirect(ctx, user)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if len(all) == 1 {
		return all[0], nil
	}
	var numbers []int64
	for _, h := range all {
		numbers = append(numbers, h.Number)
	}
	return nil, project.Refuse(project.BadArgument, "%s", text.WhichOfYours(numbers))
}

// outcome is what a command answers. In the asker's own room the owner has the
// name that askers may see.
func (r *Relay) outcome(desk *handoff.Desk, h *handoff.Handoff, at At, changed bool) map[string]any {
	all := h.Fields()
	f := map[string]any{"handoff": h.Number, "state": all["state"], "owner": all["owner"]}
	if h.Owner != nil && among(h, at) {
		f["owner"] = map[string]any{"kind": h.Owner.Kind, "name": desk.PublicName(h.Owner)}
	}
	if !changed {
		f["changed"] = false
	}
	return f
}

// among reports whether a command's answer is read by others than staff.
func among(h *handoff.Handoff, at At) bool {
	return at.Room.Kind != store.SuperAdmin && (at.Room.IsLane() || here(h, at.Room))
}

// publicly makes a refusal name the owner as askers may know them, where they read it.
func publicly(desk *handoff.Desk, h *handoff.Handoff, at At, err error) error {
	if h.Owner == nil || !among(h, at) || err.Error() != desk.OwnedBy(h.Owner.Name, h.Number).Error() {
		return err
	}
	return desk.OwnedBy(desk.PublicName(h.Owner), h.Number)
}

// inside reports whether a command stands in the asker's thread, so that its answer
// is read there anyway.
func (r *Relay) inside(ctx context.Context, h *handoff.Handoff, at At) bool {
	switch {
	case at.Room.Kind == store.Direct:
		return here(h, at.Room)
	case at.Room.Kind == store.SuperAdmin || at.Thread == "":
		return false
	}
	found, err := r.byMessage(ctx, at.Room, at.Thread)
	return err == nil && found != nil && found.Number == h.Number
}

// Handoffs lists handoffs, a page of them: scope is open (not closed), mine or all
// (the newest first). after is where the page before ended, 0 at first. fields are
// {"handoffs": […]} and, if there are more, "next".
func (r *Relay) Handoffs(ctx context.Context, actor, scope string, after int64) (fields map[string]any, words text.Words, err error) {
	if !r.May(actor) {
		return nil, words, project.Forbidden()
	}
	found, err := r.page(ctx, actor, scope, after)
	if err != nil {
		return nil, words, err
	}
	cards, err := r.cards(ctx, found)
	if err != nil {
		return nil, words, err
	}
	rows, lines := []any{}, []text.Words{}
	for _, h := range found {
		f := h.Fields()
		delete(f, "lane")
		rows = append(rows, f)
		lines = append(lines, text.HandoffForStaff(h.Listed(cards[handoff.Card(h.Number)], r.Store.Now())))
	}
	fields = map[string]any{}
	n := min(markup.Page(lines, listedBytes), listed)
	more := n < len(found)
	if more {
		fields["next"] = found[n-1].Number
	}
	rows, lines = rows[:n], lines[:n]
	if scope == "all" { // people read from old to new
		slices.Reverse(rows)
		slices.Reverse(lines)
	}
	if more {
		lines = append(lines, text.MoreHandoffsForStaff(r.Prefix, scope, fields["next"]))
	}
	fields["handoffs"] = rows
	return fields, text.HandoffsForStaff(lines), nil
}

// cards are the links to the cards of handoffs, by the effects that sent them.
func (r *Relay) cards(ctx context.Context, of []*handoff.Handoff) (map[string]text.Pill, error) {
	ids := make([]string, len(of))
	for i, h := range of {
		ids[i] = handoff.Card(h.Number)
	}
	spots, err := r.Store.SentAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	cards := make(map[string]text.Pill, len(of))
	for i, id := range ids {
		if at, ok := spots[id]; ok {
			cards[id] = text.Pill{ID: at.Room + "/" + at.Event, Name: fmt.Sprintf("#%d", of[i].Number), Via: r.Store.Domain}
		}
	}
	return cards, nil
}

// page gives one handoff more than fits on a page, if there are so many.
func (r *Relay) page(ctx context.Context, actor, scope string, after int64) (found []*handoff.Handoff, err error) {
	if scope == "all" {
		return r.Store.HandoffsEver(ctx, after, listed+1)
	}
	if scope == "open" {
		return r.Store.HandoffsAfter(ctx, after, listed+1)
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range desk.IDs(actor) {
		some, err := r.Store.Taken(ctx, id, after, listed+1)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(a, b *handoff.Handoff) int { return cmp.Compare(a.Number, b.Number) })
	return found[:min(len(found), listed+1)], nil
}

// Take makes the actor the owner. n 0: the handoff of the thread where the command
// stands. fields are {"handoff", "state", "owner"}, as of all commands below.
func (r *Relay) Take(ctx context.Context, actor string, at At, n int64, force bool) (fields map[string]any, words text.Words, err error) {
	h, desk, err := r.load(ctx, actor, at, n, false)
	if err != nil {
		return nil, words, err
	}
	if err := r.mayWake(ctx, h); err != nil {
		return nil, words, err
	}
	o := handoff.Owner{Kind: handoff.OnMatrix, ID: actor, Name: r.Store.Name(ctx, actor)}
	dec, changed, err := desk.Take(h, o, force, nil)
	if err != nil {
		return nil, words, publicly(desk, h, at, err)
	}
	if err := r.applyIf(ctx, h, dec, changed); err != nil {
		return nil, words, err
	}
	return r.outcome(desk, h, at, changed), text.TakenForStaff(h.Number, changed), nil
}

// Release gives a handoff back to everybody.
func (r *Relay) Release(ctx context.Context, actor string, at At, n int64) (fields map[string]any, words text.Words, err error) {
	h, desk, err := r.load(ctx, actor, at, n, false)
	if err != nil {
		return nil, words, err
	}
	before, err := r.soFar(ctx, h)
	if err != nil {
		return nil, words, err
	}
	dec, changed, err := desk.Release(h, actor, before)
	if err != nil {
		return nil, words, publicly(desk, h, at, err)
	}
	if err := r.applyIf(ctx, h, dec, changed); err != nil {
		return nil, words, err
	}
	return r.outcome(desk, h, at, changed), text.ReleasedForStaff(h.Number, changed), nil
}

// Close ends a handoff; its askers may, too.
func (r *Relay) Close(ctx context.Context, actor string, at At, n int64) (fields map[string]any, words text.Words, err error) {
	h, desk, err := r.load(ctx, actor, at, n, true)
	if err != nil {
		return nil, words, err
	}
	asker := h.Asker(actor) != nil
	by := r.Store.Name(ctx, actor)
	inside := r.inside(ctx, h, at)
	if h.Billed, err = r.Store.Billed(ctx, h.Number); err != nil {
		return nil, words, err
	}
	dec, changed := desk.Close(h, handoff.Closing{By: by, ByAsker: asker, Quiet: inside})
	if err := r.applyIf(ctx, h, dec, changed); err != nil {
		return nil, words, err
	}
	return r.outcome(desk, h, at, changed), text.ClosedForAnyone(h.Number, changed, inside, h.Direct), nil
}

// Reopen opens a closed handoff again.
func (r *Relay) Reopen(ctx context.Context, actor string, at At, n int64) (fields map[string]any, words text.Words, err error) {
	h, desk, err := r.load(ctx, actor, at, n, false)
	if err != nil {
		return nil, words, err
	}
	if err := r.mayWake(ctx, h); err != nil {
		return nil, words, err
	}
	before, err := r.soFar(ctx, h)
	if err != nil {
		return nil, words, err
	}
	dec, changed := desk.Reopen(h, r.inside(ctx, h, at), before)
	if err := r.applyIf(ctx, h, dec, changed); err != nil {
		return nil, words, err
	}
	return r.outcome(desk, h, at, changed), text.ReopenedForAnyone(h.Number, changed), nil
}

func (r *Relay) load(ctx context.Context, actor string, at At, n int64, own bool) (*handoff.Handoff, *handoff.Desk, error) {
	h, err := r.find(ctx, actor, at, n, own)
	if err != nil {
		return nil, nil, err
	}
	desk, err := r.deskOf(ctx, h)
	return h, desk, err
}

func (r *Relay) applyIf(ctx context.Context, h *handoff.Handoff, dec handoff.Decision, changed bool) error {
	if !changed {
		return nil
	}
	return r.apply(ctx, h, dec)
}
