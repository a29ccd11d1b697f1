package relay_test

import (
	"fmt"
	"slices"
	"strings"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/relay"
)

// note adds a line to the story.
func (w *world) note(format string, args ...any) {
	told := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n      ")
	w.log = append(w.log, strings.ReplaceAll(told, "\n      \n", "\n\n"))
}

func standing(thread, reply string) string {
	switch {
	case thread != "" && reply != "":
		return ", thread on " + thread + ", reply to " + reply
	case thread != "":
		return ", thread on " + thread
	case reply != "":
		return ", reply to " + reply
	}
	return ""
}

// told is a post as a line of the story.
func (w *world) told(p post) {
	who := strings.TrimSuffix(strings.TrimPrefix(p.sender, "@"), ":x")
	switch {
	case p.redacts != "":
		w.note("    %s: %s deletes %s", p.room, who, p.redacts)
	case p.typ == "m.receipt":
		w.note("    %s: %s has read %s", p.room, who, p.reacts)
	case p.reacts != "":
		w.note("    %s: %s reacts %s to %s", p.room, who, p.key, p.reacts)
	case p.edits != "":
		w.note("    %s: %s edits %s: %s", p.room, who, p.edits, p.body)
	default:
		alerts := ""
		if len(p.mentions) > 0 {
			alerts = " @" + strings.Join(p.mentions, " @")
		}
		w.note("    %s: %s %s %s%s%s: %s", p.room, who, p.msgtype, p.id, standing(p.thread, p.reply), alerts, p.body)
	}
}

// in gives the texts of the bot and the ghosts in a room, newest last.
func (w *world) in(room string) (bodies []string) {
	for _, p := range w.posts {
		if p.room == room && p.body != "" && p.edits == "" {
			bodies = append(bodies, p.body)
		}
	}
	return bodies
}

// find gives the newest post whose text contains the words.
func (w *world) find(room, words string) *post {
	for i := len(w.posts) - 1; i >= 0; i-- {
		if p := &w.posts[i]; p.room == room && p.edits == "" && strings.Contains(p.body, words) {
			return p
		}
	}
	return nil
}

func (w *world) must(room, words string) *post {
	w.t.Helper()
	p := w.find(room, words)
	if p == nil {
		w.t.Fatalf("nothing in %s says %q:\n%s", room, words, strings.Join(w.in(room), "\n"))
	}
	return p
}

func (w *world) none(room, words string) {
	w.t.Helper()
	if p := w.find(room, words); p != nil {
		w.t.Errorf("%s says %q: %s", room, words, p.body)
	}
}

// got gives what Twilio has for a phone, "" for all, newest last.
func (w *world) got(phone string) (bodies []string) {
	for _, o := range w.outs {
		if phone != "" && o.phone != phone {
			continue
		}
		if o.template != 0 {
			bodies = append(bodies, fmt.Sprintf("template %d", o.template))
			continue
		}
		bodies = append(bodies, o.body)
	}
	return bodies
}

func (w *world) last(phone string) out {
	w.t.Helper()
	for i := len(w.outs) - 1; i >= 0; i-- {
		if w.outs[i].phone == phone {
			return w.outs[i]
		}
	}
	w.t.Fatalf("%s got nothing", phone)
	return out{}
}

func (w *world) phoneGot(phone string, want ...string) {
	w.t.Helper()
	if got := w.got(phone); !slices.Equal(got, want) {
		w.t.Errorf("%s got\n%s\nwant\n%s", phone, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.outs = slices.DeleteFunc(w.outs, func(o out) bool { return o.phone == phone })
}

// card gives the newest version of a handoff's card.
func (w *world) card(n int64) map[string]any {
	w.t.Helper()
	for i := len(w.posts) - 1; i >= 0; i-- {
		if c, ok := w.posts[i].content["lanekeeper.handoff"].(map[string]any); ok && c["number"] == float64(n) {
			return c
		}
	}
	w.t.Fatalf("no card of #%d", n)
	return nil
}

// root is the event of a handoff's card.
func (w *world) root(n int64) string {
	w.t.Helper()
	ev := w.ref(effect.To(handoff.Card(n)))
	if ev == "" {
		w.t.Fatalf("no card of #%d", n)
	}
	return ev
}

func (w *world) marked(event, key string) bool {
	return slices.ContainsFunc(w.posts, func(p post) bool { return p.reacts == event && p.key == key })
}

func (w *world) load(n int64) *handoff.Handoff {
	w.t.Helper()
	h, err := w.s.Handoff(w.ctx, n)
	if err != nil || h == nil {
		w.t.Fatalf("handoff %d: %v", n, err)
	}
	return h
}

// at is where a command of staff stands.
func (w *world) at(room, thread string) relay.At {
	return relay.At{Room: w.rooms[room], Event: w.id("$c"), Thread: thread}
}
