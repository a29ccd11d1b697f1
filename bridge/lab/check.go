package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NewProject makes a project of the profile agency with a slug of its own: mia manages, carl is the customer.
func (w *World) NewProject(flags ...string) (slug string, rooms map[string]string) {
	w.t.Helper()
	w.made++
	slug = fmt.Sprintf("p%d", w.made)
	return slug, w.Project(slug, flags...)
}

// NewExpert is NewProject with xena as its expert, who is in the internal lane.
func (w *World) NewExpert(flags ...string) (slug string, rooms map[string]string) {
	w.t.Helper()
	slug, rooms = w.NewProject(flags...)
	w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	return slug, rooms
}

// Settled reports an error unless the homeserver is as one project wants it.
func (w *World) Settled(slug, when string) {
	w.t.Helper()
	if out, code := w.Bridge.Plan(slug); code != 0 {
		w.t.Errorf("%s: plan ends with %d:\n%s", when, code, out)
	}
}

// Eventually waits until something holds that shows in what somebody's client gets.
func (w *World) Eventually(watcher, what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), Patience)
	defer cancel()
	if !w.Person(watcher).Until(ctx, holds) {
		w.t.Errorf("it never came to be: %s", what)
	}
}

// Private waits for the result of a command that is told in the direct chat alone.
func (w *World) Private(person, command string, matches ...Match) Event {
	w.t.Helper()
	return w.Person(person).Wait("the rest of the answer to "+command, append(matches, w.InDirect(person), func(e Event) bool {
		r := e.Object("lanekeeper.result")
		return r != nil && r["command"] == command && e.Thread() == "" && e.Replaces() == ""
	})...)
}

// Told waits for words of the bot in somebody's direct chat that answer no command.
func (w *World) Told(person, words string) Event {
	w.t.Helper()
	return w.Person(person).Wait(fmt.Sprintf("%q in the direct chat", words), w.InDirect(person), Says(words))
}

// InDirect matches what the bot says to somebody alone: in no lane and no Space.
func (w *World) InDirect(person string) Match {
	others := NotIn(w.Lanes(person)...)
	return func(e Event) bool { return e.Sender == w.Bot() && others(e) }
}

// Lanes are the rooms of somebody that say what they are.
func (w *World) Lanes(person string) (rooms []string) {
	for _, e := range w.Person(person).Events(OfType("lanekeeper.lane")) {
		rooms = append(rooms, e.Room)
	}
	return rooms
}

// Chat is a room that somebody makes.
func (w *World) Chat(person string, request map[string]any) (room string) {
	w.t.Helper()
	all := map[string]any{"room_version": "10", "preset": "private_chat"}
	maps.Copy(all, request)
	return w.Person(person).CreateRoom(all)
}

// BotIs waits for the bot's membership of a room that somebody made.
func (w *World) BotIs(membership, person, room string) {
	w.t.Helper()
	w.Person(person).Wait("the bot: "+membership, In(room), OfType("m.room.member"), func(e Event) bool {
		return e.StateKey != nil && *e.StateKey == w.Bot() && e.Content["membership"] == membership
	})
}

// Refused says commands that all have to be refused, each with its code ("": it has to succeed).
func (w *World) Refused(person, room string, codes map[string]string) {
	w.t.Helper()
	commands := slices.Sorted(maps.Keys(codes))
	for i, r := range w.DoAll(person, room, commands...) {
		if want := codes[commands[i]]; r.Code != want || r.OK != (want == "") {
			w.t.Errorf("%s: %.100q should be refused as %q, not answered %s", person, commands[i], want, r)
		} else if r.Text == "" || len(r.Text) > 2000 {
			w.t.Errorf("%s: %.100q is answered with %d bytes", person, commands[i], len(r.Text))
		}
	}
}

// Has reports every one of the fields that a result lacks, and those it has beyond them.
func Has(t T, r Result, fields ...string) {
	t.Helper()
	fields = append(fields, "ok", "command")
	for _, f := range fields {
		if _, ok := r.Fields[f]; !ok {
			t.Errorf("%s has no %q: %s", r.Fields["command"], f, r)
		}
	}
	for name := range r.Fields {
		if !slices.Contains(fields, name) && name != "changed" {
			t.Errorf("%s has %q, which nobody was promised: %s", r.Fields["command"], name, r)
		}
	}
}

// Is compares a field of a result, as text.
func Is(t T, r Result, field string, want any) {
	t.Helper()
	if got := fmt.Sprint(r.Fields[field]); got != fmt.Sprint(want) {
		t.Errorf("%s: %q is %s, not %v", r.Fields["command"], field, got, want)
	}
}

// Unheard reports words that somebody should not have heard.
func (w *World) Unheard(person string, words ...string) {
	w.t.Helper()
	heard := w.Person(person).Heard()
	for _, word := range words {
		if strings.Contains(heard, word) {
			w.t.Errorf("%s heard %q", person, word)
		}
	}
}
