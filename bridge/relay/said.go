package relay

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// said is a message as decisions see it. Of anything but text only a caption is
// carried; the name of a file stays where it is.
func (r *Relay) said(ctx context.Context, ev *matrix.Event) handoff.Said {
	return r.contentSaid(ctx, ev.ID, ev.Sender, ev.Content)
}

func (r *Relay) contentSaid(ctx context.Context, event, user string, content map[string]any) handoff.Said {
	s := handoff.Said{Event: event, User: user, Name: text.Name(r.Store.Name(ctx, user))}
	typ, _ := content["msgtype"].(string)
	switch typ {
	case "m.text", "m.notice", "m.emote":
	default:
		s.File = true
		name, _ := content["filename"].(string)
		if body, _ := content["body"].(string); name == "" || name == body {
			return s // MSC2530: without a file name of its own the body is one
		}
	}
	s.Words, s.WhatsApp = text.Carried(content), text.ForWhatsApp(content)
	return s
}

// messageSaid is a stored message as decisions see it.
func (r *Relay) messageSaid(ctx context.Context, m *store.Message) handoff.Said {
	content := map[string]any{"msgtype": m.Type, "body": m.Body}
	if m.HTML != "" {
		content["format"], content["formatted_body"] = "org.matrix.custom.html", m.HTML
	}
	if m.Thread != "" || m.ReplyTo != "" {
		content["m.relates_to"] = map[string]any{"m.in_reply_to": map[string]any{}}
	}
	return r.contentSaid(ctx, m.Event, m.Sender, content)
}

// spelled is what somebody wrote behind a command.
func (r *Relay) spelled(ctx context.Context, event, user, words string) handoff.Said {
	content := map[string]any{"msgtype": "m.text", "body": words}
	return r.contentSaid(ctx, event, user, content)
}

// human begins the words of a question that was asked by command.
var human = regexp.MustCompile(`(?i)^\s*human(?:\s+--private)?(?:\s+|$)`)

// question are the words of a question in the whole words of its command.
func (r *Relay) question(body string) string {
	body = strings.TrimSpace(body)
	if n := len(r.Prefix); len(body) >= n && strings.EqualFold(body[:n], r.Prefix) {
		body = strings.TrimSpace(body[n:])
	}
	return strings.TrimSpace(human.ReplaceAllString(body, ""))
}

// command reports whether a message in a lane is a command.
func (r *Relay) command(body string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(body), " ")
	return strings.EqualFold(first, r.Prefix)
}

// context is what was said in a room before a question, oldest first: in the same
// thread or, where the question stands in none, outside all threads; other
// threads are other conversations. In direct chats everything else is commands,
// so only what was said in handoffs counts.
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
	var out []handoff.Said
	for i := len(recent) - 1; i >= 0 && len(out) < r.Context; i-- {
		m, said := recent[i], known[recent[i].Event]
		switch {
		case m.Event == question || m.Sender == r.Bot || r.command(m.Body):
			continue
		case m.Thread != thread && m.Event != thread && room.Kind != store.Direct:
			continue
		case room.Kind == store.Direct && said == nil:
			continue
		case said != nil && r.Consent == "ask": // not agreed to for this handoff
			continue
		}
		if s := r.messageSaid(ctx, m); s.Words.Plain != "" || s.File {
			if said != nil && said.Kind == store.EventAsked {
				s = r.spelled(ctx, m.Event, m.Sender, r.question(m.Body))
			}
			out = append([]handoff.Said{s}, out...)
		}
	}
	return out, nil
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
	if t.Kind == store.TurnWhatsApp {
		s = handoff.Said{Event: t.Event, User: t.User, Name: "Support", Words: text.FromWhatsApp(t.Body), WhatsApp: t.Body}
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
	case t.Event == h.Asked && (m == nil || m.Redacted || t.Kind == store.EventAsked): // a private one is redacted
		s = handoff.Said{Event: t.Event, User: t.User, Name: h.First().Name, Words: h.Question, WhatsApp: text.LiteralForWhatsApp(h.Question.Plain)}
	case m == nil || m.Redacted:
		return s, false, nil
	case t.Kind == store.EventAsked:
		s = r.spelled(ctx, m.Event, m.Sender, r.question(m.Body))
	default:
		s = r.messageSaid(ctx, m)
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
	case "ask", "card", "join", "ans", "say":
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
