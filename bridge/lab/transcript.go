package lab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Transcript renders what each person saw, in order, as Markdown: what they were invited to, what was said where they could
// read it, and how much it was. It is for people to read; ids that differ from run to run are left out.
func (w *World) Transcript(people ...string) string {
	var out strings.Builder
	out.WriteString("| who | invitations | messages | of these notices | mentions | reactions | lines about the room | of these levels |\n|---|---|---|---|---|---|---|---|\n")
	readers := make([]*reader, len(people))
	for i, name := range people {
		readers[i] = w.newReader(name)
		r := readers[i]
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", r.name, r.invitations, r.messages, r.notices, r.mentions, r.reactions, r.changes, r.levels)
	}
	if w.Phones != nil {
		for _, a := range agents {
			got := len(w.Phones.Sent(a.Number))
			fmt.Fprintf(&out, "| %s's phone | – | %d received, %d written | – | – | – | – | – |\n", a.Name, got, len(w.Phones.Messages(a.Number))-got)
		}
	}
	for _, r := range readers {
		fmt.Fprintf(&out, "\n## %s\n", r.name)
		out.WriteString(r.text.String())
	}
	if w.Phones != nil {
		for _, a := range agents {
			fmt.Fprintf(&out, "\n## %s's phone\n\n", a.Name)
			for _, m := range w.Phones.Messages(a.Number) {
				who := "Lanekeeper"
				if m.Inbound {
					who = a.Name
				}
				fmt.Fprintf(&out, "- **%s:** %s\n", who, indent(readable(m.Body)))
			}
		}
	}
	return out.String()
}

// reader goes through what one client got.
type reader struct {
	name string
	text strings.Builder

	invitations, messages, notices, mentions, reactions int
	changes, levels                                     int // of the state of rooms while the reader is there: clients show a line for most

	w      *World
	c      *Client
	names  map[string]string // room → name
	people map[string]string // user → display name
	bodies map[string]string // event → its words
	since  map[string]int64  // room → when the reader first came, as the homeserver has it
	room   string            // of the last line
}

func (w *World) newReader(name string) *reader {
	c := w.Person(name)
	r := &reader{name: title(name), w: w, c: c, names: map[string]string{}, people: map[string]string{}, bodies: map[string]string{}, since: map[string]int64{}}
	c.mu.Lock()
	seen := slices.Concat(c.invites, c.events)
	c.mu.Unlock()
	slices.SortStableFunc(seen, func(a, b Event) int { return a.Arrived.Compare(b.Arrived) })
	for _, e := range seen { // names first: an invitation reads better with the name that came with it or later
		r.learn(e)
	}
	for _, e := range seen {
		r.read(e)
	}
	return r
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func (r *reader) learn(e Event) {
	switch {
	case e.Type == "m.room.name" && e.field("name") != "":
		r.names[e.Room] = e.field("name")
	case e.Type == "m.room.member" && e.StateKey != nil && e.field("displayname") != "":
		r.people[*e.StateKey] = e.field("displayname")
	}
	if e.Type == "m.room.member" && e.StateKey != nil && *e.StateKey == r.c.ID && e.field("membership") == "join" && r.since[e.Room] == 0 {
		r.since[e.Room] = e.Time
	}
}

func (r *reader) read(e Event) {
	if since := r.since[e.Room]; e.StateKey != nil && !e.Stripped && since != 0 && e.Time >= since {
		r.changes++
		if e.Type == "m.room.power_levels" {
			r.levels++
		}
	}
	switch e.Type {
	case "m.room.message":
		r.message(e)
	case "m.reaction":
		r.reactions++
		target, key := e.Reaction()
		r.line(e, "reacts %s to “%s”", key, short(r.bodies[target]))
	case "m.room.redaction":
		target := e.Redacts
		if target == "" {
			target = e.field("redacts")
		}
		r.line(e, "deletes “%s”", short(r.bodies[target]))
	case "m.room.member":
		r.member(e)
	}
}

func (r *reader) message(e Event) {
	body, _ := e.Current()["body"].(string)
	if original := e.Replaces(); original != "" {
		r.line(e, "changes “%s” to: %s", short(r.bodies[original]), indent(readable(body)))
		r.bodies[original] = body
		return
	}
	r.messages++
	r.bodies[e.ID] = body
	var marks []string
	if e.Notice() {
		r.notices++
		marks = append(marks, "notice")
	}
	if e.Mentions(r.c.ID) {
		r.mentions++
		marks = append(marks, "🔔")
	}
	if root := e.Thread(); root != "" {
		marks = append(marks, r.about("thread on", root))
	} else if to := e.ReplyTo(); to != "" {
		marks = append(marks, r.about("reply to", to))
	}
	mark := ""
	if len(marks) > 0 {
		mark = " *(" + strings.Join(marks, ", ") + ")*"
	}
	r.line(e, "says%s: %s", mark, indent(readable(body)))
}

// about names an event by its words. The reader may not know them, who came later or must not read them.
func (r *reader) about(how, event string) string {
	if words := r.bodies[event]; words != "" {
		return how + " “" + short(words) + "”"
	}
	return how + " something earlier"
}

// member tells of the reader's own comings and goings, and of those of others while the reader is there.
func (r *reader) member(e Event) {
	if e.StateKey == nil {
		return
	}
	membership, own := e.field("membership"), *e.StateKey == r.c.ID
	switch {
	case e.Stripped && own && membership == "invite":
		r.invitations++
		r.line(e, "invites %s", r.name)
	case e.Stripped || own && membership == "invite" || *e.StateKey == r.w.Bot():
	case membership == "join" && own:
		r.line(e, "joins")
	case membership == "leave" && e.Sender != *e.StateKey:
		r.line(e, "removes %s", r.who(*e.StateKey))
	case membership == "leave" || membership == "join":
		r.line(e, "%ss", membership)
	}
}

// line writes one line, under a heading where the room changes.
func (r *reader) line(e Event, format string, args ...any) {
	if e.Room != r.room {
		r.room = e.Room
		fmt.Fprintf(&r.text, "\n*%s*\n\n", r.where(e.Room))
	}
	fmt.Fprintf(&r.text, "- **%s** %s\n", r.who(e.Sender), fmt.Sprintf(format, args...))
}

func (r *reader) where(room string) string {
	if name := r.names[room]; name != "" {
		return name
	}
	return "direct chat with Lanekeeper"
}

func (r *reader) who(user string) string {
	if name := r.people[user]; name != "" && strings.Contains(user, "lanekeeper") {
		return name
	}
	localpart, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	if localpart == "" {
		return "somebody"
	}
	return title(localpart)
}

// changing are ids that differ from run to run.
var changing = regexp.MustCompile(`[!$][A-Za-z0-9_=/+-]{18,}(:[a-z.]+)?`)

// moments are times of the day of the run.
var moments = regexp.MustCompile(`\d{1,2} [A-Z][a-z]+, \d\d:\d\d UTC`)

func readable(body string) string {
	return moments.ReplaceAllString(changing.ReplaceAllString(body, "…"), "2 March, 09:00 UTC")
}

func short(body string) string {
	body, _, _ = strings.Cut(readable(body), "\n")
	if runes := []rune(body); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return body
}

// indent keeps the lines of a text inside its item of a list.
func indent(body string) string {
	return strings.ReplaceAll(strings.TrimSpace(body), "\n", "  \n  ")
}
