package relay

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// origin is where something stands that was said in a room, in a handoff (0: in none).
func origin(room *store.Room, n int64) handoff.Origin {
	at := handoff.Origin{Room: room.ID, Handoff: n}
	switch {
	case room.Kind == store.SuperAdmin:
		at.Staff = true
	case room.Kind == store.Direct:
		at.Direct = room.User
	case room.IsLane():
		at.Lane = project.Kind(room.Kind)
	}
	return at
}

// said is a message as decisions see it. The words of a file are its caption.
func (r *Relay) said(ctx context.Context, ev *matrix.Event, at handoff.Origin) handoff.Said {
	s := r.contentSaid(ctx, ev.ID, ev.Sender, at, ev.Content)
	s.Thread = ev.Thread()
	return s
}

func (r *Relay) contentSaid(ctx context.Context, event, user string, at handoff.Origin, content map[string]any) handoff.Said {
	s := handoff.Said{Event: event, User: user, At: at, Name: r.Store.Name(ctx, user)}
	typ, _ := content["msgtype"].(string)
	if where := place(content); typ == "m.location" && where != "" {
		typ, content = "m.text", map[string]any{"body": where}
	}
	switch typ {
	case "m.text", "m.notice", "m.emote":
	default:
		s.File, s.Sent = true, FileOf(content)
		if !captioned(content) {
			return s
		}
	}
	if s.Words, s.Markup = markup.Carried(content), markup.ForWhatsApp(content); markup.Empty(s.Words.Plain) {
		s.Words, s.Markup = markup.Words{}, ""
	}
	return s
}

// messageSaid is a stored message as decisions see it.
func (r *Relay) messageSaid(ctx context.Context, m *store.Message, at handoff.Origin) handoff.Said {
	s := r.contentSaid(ctx, m.Event, m.Sender, at, contentOf(m))
	if s.File {
		s.Sent = m.File
	}
	return s
}

// contentOf is the content of a stored message.
func contentOf(m *store.Message) map[string]any {
	content := map[string]any{"msgtype": m.Type, "body": m.Body}
	if m.HTML != "" {
		content["format"], content["formatted_body"] = "org.matrix.custom.html", m.HTML
	}
	if m.File != nil {
		content["filename"] = m.File.Name
	}
	if m.Thread != "" || m.ReplyTo != "" {
		content["m.relates_to"] = map[string]any{"m.in_reply_to": map[string]any{}}
	}
	return content
}

// spelled is what somebody wrote behind a command.
func (r *Relay) spelled(ctx context.Context, event, user string, at handoff.Origin, words string) handoff.Said {
	content := map[string]any{"msgtype": "m.text", "body": words}
	return r.contentSaid(ctx, event, user, at, content)
}

// human begins the words of a question that was asked by command.
var human = regexp.MustCompile(`(?i)^\s*human(?:\s+--private)?(?:\s+|$)`)

// question are the words of a question in the whole content of its command.
func (r *Relay) question(content map[string]any) string {
	body, _ := markup.Command(r.Prefix, markup.Unquoted(content))
	return strings.TrimSpace(human.ReplaceAllString(body, ""))
}

// command reports whether a message in a lane is a command.
func (r *Relay) command(m *store.Message) bool {
	_, prefixed := markup.Command(r.Prefix, markup.Unquoted(contentOf(m)))
	return prefixed
}

// context is what was said in a room before a question, oldest first: in the same
// thread or, where the question stands in none, outside all threads; other
// threads are other conversations. In direct chats everything else is commands,
// so only what was said in handoffs counts. Which of it goes where handoff.MayTravel
// decides, by the origins that it is given here.
func (r *Relay) context(ctx context.Context, room *store.Room, question, thread string, before time.Time) ([]handoff.Said, error) {
	if r.Context <= 0 || room == nil || room.ID == "" {
		return nil, nil
	}
	recent, err := r.Store.Recent(ctx, room.ID, before, 5*r.Context+20)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(recent))
	for i, m := range recent {
		ids[i] = m.Event
	}
	known, err := r.Store.HandoffEventsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	stays, err := r.stays(ctx, known)
	if err != nil {
		return nil, err
	}
	keeper, err := r.Store.KeeperOf(ctx, room.Project)
	if err != nil {
		return nil, err
	}
	var out []handoff.Said
	for i := len(recent) - 1; i >= 0 && len(out) < r.Context; i-- {
		m, said := recent[i], known[recent[i].Event]
		switch {
		case m.Event == question || m.Sender == keeper || r.command(m):
			continue
		case m.Thread != thread && m.Event != thread && room.Kind != store.Direct:
			continue
		case room.Kind == store.Direct && (said == nil || said.Kind == store.EventHeld):
			continue
		}
		if s := r.earlier(ctx, room, m, said); s.Words.Plain != "" || s.File {
			s.At.Stays = stays[m.Event]
			out = append([]handoff.Said{s}, out...)
		}
	}
	return out, nil
}

// stays says of events that were said in handoffs whether they may not leave Matrix
// for another one: their handoff does not, or who said it let it go for that alone.
func (r *Relay) stays(ctx context.Context, known map[string]*store.HandoffEvent) (map[string]bool, error) {
	numbers := make([]int64, 0, len(known))
	for _, e := range known {
		if !slices.Contains(numbers, e.Handoff) {
			numbers = append(numbers, e.Handoff)
		}
	}
	handoffs, err := r.Store.HandoffsOf(ctx, numbers)
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(known))
	for event, e := range known {
		h := handoffs[e.Handoff]
		out[event] = h == nil || !h.Leaves || r.Consent == "ask"
		if a := asker(h, e.User); a != nil && a.Consent != handoff.Announced {
			out[event] = true
		}
	}
	return out, nil
}

// staysIn reports whether an event was said in a handoff that does not leave Matrix, or
// held where it may have been meant for one: what its author asks with it stays, too.
func (r *Relay) staysIn(ctx context.Context, event string) (bool, error) {
	e, err := r.Store.HandoffEvent(ctx, event)
	if e == nil || err != nil {
		return false, err
	}
	h, err := r.Store.Handoff(ctx, e.Handoff)
	return h == nil || !h.Leaves, err
}

func asker(h *handoff.Handoff, user string) *handoff.Asker {
	if h == nil {
		return nil
	}
	return h.Asker(user)
}

// soFar is what was said in a handoff, for agents who do not know it: the
// question and the last things after it.
func (r *Relay) soFar(ctx context.Context, h *handoff.Handoff) ([]handoff.Said, error) {
	turns, err := r.Store.Conversation(ctx, h.Number, max(r.Context, 0)+1)
	if err != nil {
		return nil, err
	}
	if len(turns) == 0 || turns[0].Event != h.Asked {
		turns = append([]store.Turn{{Event: h.Asked, Kind: store.EventAsked, User: h.First().User}}, turns...)
	}
	var out []handoff.Said
	for _, t := range turns {
		s, ok, err := r.turnSaid(ctx, h, t)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, s)
		}
	}
	return out, nil
}

func (r *Relay) turnSaid(ctx context.Context, h *handoff.Handoff, t store.Turn) (s handoff.Said, ok bool, err error) {
	at := handoff.Origin{Handoff: h.Number}
	if t.Kind == store.TurnWhatsApp {
		at.Phone = true
		body := markup.Visible(t.Body)
		s = handoff.Said{Event: t.Event, User: t.User, At: at, Name: "Support", Words: markup.FromWhatsApp(body), Markup: body}
		if a := r.agent(t.User); a != nil {
			s.Name = a.Name
		}
		return s, true, nil
	}
	if a := h.Asker(t.User); t.Kind != store.EventSent && (a == nil || !a.Leaves()) {
		return s, false, nil
	}
	m, err := r.Store.Message(ctx, t.Event)
	if err != nil {
		return s, false, err
	}
	switch {
	case t.Kind == store.EventSent:
		at.Staff = true
	case h.Direct:
		at.Direct = h.First().User
	case m != nil:
		at.Room, at.Lane = m.Room, h.Lane
	default:
		at.Room, at.Lane = h.Room, h.Lane
	}
	switch {
	case t.Event == h.Asked && (m == nil || m.Redacted || t.Kind == store.EventAsked): // a private one is redacted
		s = handoff.Said{Event: t.Event, User: t.User, At: at, Name: h.First().Name, Words: h.Question, Markup: markup.LiteralForWhatsApp(h.Question.Plain), File: h.File, Sent: h.Sent}
	case m == nil || m.Redacted:
		return s, false, nil
	case t.Kind == store.EventAsked:
		s = r.spelled(ctx, m.Event, m.Sender, at, r.question(contentOf(m)))
	default:
		s = r.messageSaid(ctx, m, at)
	}
	return s, s.Words.Plain != "" || s.File, nil
}

// numbered takes the number out of the ID of an effect of a handoff: what it is,
// and what it was made from.
func numbered(id string) (kind string, n int64, source string) {
	kind, rest, ok := strings.Cut(id, ":")
	if !ok {
		return "", 0, ""
	}
	switch kind {
	case "ask", "card", "join", "ans", "say", "more":
	default:
		return "", 0, ""
	}
	digits, source, _ := strings.Cut(rest, ":")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return "", 0, ""
	}
	return kind, n, source
}
