package command

import (
	"context"
	"strconv"
	"strings"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// human asks for a person. Everybody in a project may, where their role says so,
// and everybody with a platform role in their direct chat.
func (k *call) human(ctx context.Context) (*reply, error) {
	if k.room.Kind == store.SuperAdmin {
		return nil, project.Refuse(project.WrongRoom, "%s", text.AskElsewhereForStaff())
	}
	question := strings.TrimSpace(k.rest)
	if privately.MatchString(question) || k.flags["private"] == "" && privately.MatchString(k.whole) { // a wish that is not understood for sure is not overheard
		return nil, project.Refuse(project.BadArgument, "%s", text.UnsureForSender(k.spell("human --private your question")))
	}
	if k.flags["private"] != "" && question == "" {
		return nil, project.Refuse(project.BadArgument, "%s", text.PrivateQuestionForSender(k.spell("human --private your question")))
	}
	fields, err := k.Relay.Ask(ctx, relay.AskInput{
		Asker: k.sender, Name: k.Store.NameIn(ctx, k.sender, k.room.ID), Room: k.room, Event: k.ev.ID,
		Question: question, Private: k.flags["private"] != "", Thread: k.ev.Thread(), ReplyTo: k.ev.ReplyTo(), At: k.ev.TS,
	})
	if err != nil {
		return nil, err
	}
	return &reply{fields: fields, quiet: true}, nil
}

func (k *call) handoffs(ctx context.Context) (*reply, error) {
	scope, _ := k.next()
	if err := k.done(); err != nil {
		return nil, err
	}
	switch scope = strings.ToLower(scope); scope {
	case "":
		scope = "open"
	case "open", "mine", "all":
	default:
		return nil, project.Refuse(project.BadArgument, "%s", text.WhichHandoffsForStaff())
	}
	var after int64
	if f := k.flags["after"]; f != "" {
		n, err := strconv.ParseInt(strings.TrimPrefix(f, "#"), 10, 64)
		if err != nil {
			return nil, project.Refuse(project.BadArgument, "%s", text.AfterForStaff())
		}
		after = n
	}
	full, err := k.said(k.Relay.Handoffs(ctx, k.sender, scope, after))
	if err != nil || !k.room.IsLane() {
		return full, err
	}
	return &reply{fields: map[string]any{"handoffs": []any{}}, rest: full}, nil // other projects are nobody's business here
}

func (k *call) take(ctx context.Context) (*reply, error) {
	n, err := k.which()
	if err != nil {
		return nil, err
	}
	return k.said(k.Relay.Take(ctx, k.sender, k.at(), n, k.flags["force"] != ""))
}

func (k *call) release(ctx context.Context) (*reply, error) {
	n, err := k.which()
	if err != nil {
		return nil, err
	}
	return k.said(k.Relay.Release(ctx, k.sender, k.at(), n))
}

func (k *call) close(ctx context.Context) (*reply, error) {
	n, err := k.which()
	if err != nil {
		return nil, err
	}
	return k.said(k.Relay.Close(ctx, k.sender, k.at(), n))
}

func (k *call) reopen(ctx context.Context) (*reply, error) {
	n, err := k.which()
	if err != nil {
		return nil, err
	}
	return k.said(k.Relay.Reopen(ctx, k.sender, k.at(), n))
}

func (k *call) said(fields map[string]any, words text.Words, err error) (*reply, error) {
	if err != nil {
		return nil, err
	}
	return &reply{fields: fields, words: words}, nil
}

// which reads #N; 0 means the handoff of the thread where the command stands.
func (k *call) which() (int64, error) {
	w, ok := k.next()
	if !ok {
		return 0, nil
	}
	n, ok := number(w)
	if !ok {
		return 0, project.Refuse(project.BadArgument, "%s", text.NoNumberForStaff(short(w)))
	}
	return n, k.done()
}

func (k *call) at() relay.At {
	return relay.At{Room: k.room, Event: k.ev.ID, Thread: k.ev.Thread(), ReplyTo: k.ev.ReplyTo()}
}
