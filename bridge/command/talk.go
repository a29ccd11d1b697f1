package command

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// inTalk decides about words without the prefix in a conversation, where they go to
// others: a command only if they are nothing but one of the handoff's own words. What
// else reads like one as a whole is held: who wrote it says which of both they mean.
func (k *call) inTalk(ctx context.Context, cmd *command, talk relay.Talk) (handled bool, err error) {
	if !talk.Card && !talk.Asks {
		return false, nil // goes nowhere
	}
	if r, _ := utf8.DecodeRuneInString(k.whole); quotes[r] != 0 { // meant as words
		return false, nil
	}
	if k.own(cmd, talk) {
		r, err := k.execute(ctx, cmd)
		return true, k.answer(ctx, r, err)
	}
	if talk.Card && cmd != nil && cmd.name == "human" { // nobody asks there
		return false, nil
	}
	if k.aside && cmd != nil { // not to be repeated there
		return true, k.answer(ctx, nil, project.Refuse(project.BadArgument, "%s", text.PrefixForSender(k.Prefix)))
	}
	if reads, err := k.reads(ctx, cmd); err != nil || !reads {
		return false, err
	}
	if err := k.Relay.Hold(ctx, k.ev, talk); err != nil {
		return true, err
	}
	m := effect.Message{To: effect.Place{Room: k.room.ID}, Content: text.HeldForAnyone(k.Prefix, strings.TrimSpace(k.whole)).Notice()}
	if k.room.Kind == store.Direct {
		m.To = effect.Place{Person: k.sender}
	}
	thread, reply := k.standing()
	m.Thread, m.ReplyTo = effect.Ref(thread), effect.Ref(reply)
	if k.ev.Thread() == "" && k.room.Kind != store.Direct { // a plain reply that counts as in the thread
		m.Thread, m.ReplyTo = "", effect.Ref(k.ev.ID)
	}
	return true, k.Store.Do(ctx, effect.Effect{Message: &m})
}

// own reports whether words are nothing but one of the handoff's own, with its number
// or without: in the card's thread take, release, close and reopen, for its asker close.
func (k *call) own(cmd *command, talk relay.Talk) bool {
	words := []string{"close"}
	if talk.Card {
		words = []string{"take", "release", "close", "reopen"}
	}
	if cmd == nil || !slices.Contains(words, cmd.name) {
		return false
	}
	rest := strings.TrimSpace(k.rest)
	n, ok := number(rest)
	switch {
	case rest == "": // which one, the relay asks where nothing says it
		return true
	case ok && talk.Handoff != nil && n == talk.Handoff.Number:
		return true
	}
	return ok && slices.Contains(talk.Open, n)
}

// reads reports whether text as a whole reads like a command: nobody who only talks
// would write it so.
func (k *call) reads(ctx context.Context, cmd *command) (bool, error) {
	rest := strings.TrimSpace(k.rest)
	if cmd == nil {
		return slices.ContainsFunc(table, func(c *command) bool {
			first, _, two := strings.Cut(c.name, " ")
			return two && strings.EqualFold(first, rest)
		}), nil
	}
	shape := cmp.Or(cmd.spoken, cmd.alone)
	l := line{rest: k.rest}
	switch refused := l.readFlags(k.takes(cmd), cmd.bare, cmd.literal); {
	case refused != nil || len(l.flags) > 0:
		return true, nil
	case !shape.MatchString(strings.TrimSpace(l.rest)):
		return false, nil
	case rest == "" || shape != shapeWord && shape != shapeUser:
		return true, nil
	case shape == shapeUser:
		return namesPlainly.MatchString(rest), nil
	case cmd.name == "help":
		return slices.ContainsFunc(table, func(c *command) bool { return strings.EqualFold(c.name, rest) }), nil
	}
	p, err := k.Store.ProjectBySlug(ctx, strings.ToLower(rest))
	return p != nil && (k.everywhere("project") || p.Person(k.sender) != nil), err
}

// namesPlainly is what begins like a person or a number and nothing else.
var namesPlainly = regexp.MustCompile(`^(@|#\d|https://|\d+$)`)
