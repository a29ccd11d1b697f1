package reconcile

import (
	"fmt"
	"maps"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Diff lists, in order, what has to be done so that a room becomes what it shall
// be. actual is nil if the room is to be made, and out says that the bot cannot
// read it. Levels come before everything that they guard: whoever is to be removed
// loses power first, whoever is to be invited finds theirs written.
func Diff(d *Desired, actual *Actual, out bool, bot string) []Step {
	f := &differ{d: d, a: actual, bot: bot, title: d.Title}
	switch {
	case actual == nil && !out:
		f.create()
		return f.steps
	case out || actual.member(bot).is != "join":
		f.step(Step{Op: OpJoin, User: bot, Words: text.StepBack(f.title), Drift: true})
		return f.steps
	}
	f.title = d.called(actual)
	f.power = powerIn(actual)
	if !d.Foreign {
		f.levels()
	}
	f.state()
	if !d.Foreign {
		f.leftovers()
	}
	f.people()
	f.links()
	if !d.Foreign {
		f.rename()
	}
	return f.steps
}

type differ struct {
	d     *Desired
	a     *Actual
	bot   string
	title string
	power power // as it is once the levels are written
	peers []string
	steps []Step
}

// step adds a step; the caller has filled in what is special about it.
func (f *differ) step(s Step) {
	if f.a != nil {
		s.ID = f.a.Room
	}
	if s.Drift && f.a != nil {
		s.By = f.hand(s)
	}
	s.Room, s.Kind, s.Project, s.Text = f.d.Kind, project.Kind(f.d.Kind), f.d.Project, s.Words.Plain
	f.steps = append(f.steps, s)
}

// hand is who changed what a step takes back; "" where that is not for sure: we did,
// or it is about themselves.
func (f *differ) hand(s Step) string {
	key := Key{s.typ, s.key}
	if s.typ == "" {
		key = Key{typeMember, s.User}
	}
	e := f.a.State[key]
	if e == nil || e.Sender == f.bot || e.Sender == s.User {
		return ""
	}
	return e.Sender
}

// try adds a step that needs a level; without it the step is one nobody takes.
func (f *differ) try(need int64, s Step) {
	if f.power.of(f.bot) < need {
		s.Op, s.Words, s.Drift = OpImpossible, text.CannotDo(s.Words), false
	}
	f.step(s)
}

// create shows a new room as it is made: the rest of its state comes with it,
// people are invited afterwards.
func (f *differ) create() {
	f.step(Step{Op: OpCreate, Words: text.StepCreate(f.title)})
	for _, user := range sorted(f.d.Members) {
		f.step(Step{Op: OpInvite, User: user, Words: text.StepInvite(user, f.title), later: true})
	}
	for _, c := range f.d.Children {
		f.step(Step{Op: OpSpaceLink, Words: text.StepLink(c.Title, f.title), later: true})
	}
}

// listed are the people whose level has to stand in the room.
func (f *differ) listed() map[string]project.Access {
	listed := map[string]project.Access{}
	for user, m := range f.d.Members {
		refused := f.d.Refused != nil && f.d.Refused(text.StepInvite(user, f.title).Plain)
		switch is := f.a.member(user).is; {
		case is == "join", is == "invite", f.wanted(user, m) && !refused:
			listed[user] = m.Access
		}
	}
	return listed
}

// wanted reports whether somebody who belongs in the room and is not there is to
// be invited: not if they left by themselves and nobody asked for them since.
func (f *differ) wanted(user string, m Member) bool {
	now := f.a.member(user)
	left := now.is == "leave" && now.by == user
	return !left || m.Guest || m.Since.After(now.at)
}

func (f *differ) levels() {
	version := f.a.Version()
	want := f.d.Levels(version, f.listed())
	levels, stuck, ok := f.power.allow(f.bot, want)
	if !ok {
		f.step(Step{Op: OpImpossible, User: f.bot, Words: text.CannotRaise(f.title)})
		return
	}
	if have := f.power.content; have == nil || !same(levels, have) {
		everybody := map[string]project.Access{}
		for user, m := range f.d.Members {
			everybody[user] = m.Access
		}
		f.step(Step{
			Op: OpLevels, Words: text.StepLevels(f.title, changes(have, levels)), typ: typeLevels, content: levels,
			Drift: have != nil && f.byHand(have, levels, f.d.Levels(version, everybody)),
		})
	}
	f.power.content, f.peers = levels, stuck
	for _, user := range stuck {
		is := f.a.member(user).is
		_, belongs := f.d.Members[user]
		words := text.CannotLower(user, f.title, !belongs && (is == "join" || is == "invite"))
		if user == f.bot {
			words = text.CannotRaise(f.title)
		}
		f.step(Step{Op: OpImpossible, User: user, Words: words})
	}
}

// byHand reports whether levels differ by more than people's coming and going.
func (f *differ) byHand(have, levels, everybody map[string]any) bool {
	a, b := maps.Clone(have), maps.Clone(levels)
	delete(a, "users")
	delete(b, "users")
	if !same(a, b) {
		return true
	}
	is, shall, may := object(have["users"]), object(levels["users"]), object(everybody["users"])
	for user := range is {
		n, _ := integer(is[user])
		if m, ok := integer(may[user]); !ok || n != m {
			return true
		}
	}
	for user := range shall {
		if _, ok := is[user]; !ok && f.a.member(user).is == "join" {
			return true
		}
	}
	return false
}

// changes says in words what differs between two contents of power levels.
func changes(have, want map[string]any) (out []text.Words) {
	if have == nil {
		return nil
	}
	for _, key := range sorted(union(have, want)) {
		switch key {
		case "users", "events", "notifications":
			a, b := object(have[key]), object(want[key])
			for _, entry := range sorted(union(a, b)) {
				out = change(out, entry, a[entry], b[entry])
			}
		default:
			out = change(out, key, have[key], want[key])
		}
	}
	return out
}

func change(out []text.Words, what string, from, to any) []text.Words {
	if a, b := level(from), level(to); a != b {
		out = append(out, text.LevelOf(what, a, b))
	}
	return out
}

func level(v any) string {
	if n, ok := integer(v); ok {
		return fmt.Sprint(n)
	}
	if v == nil {
		return "–"
	}
	return "?"
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}
