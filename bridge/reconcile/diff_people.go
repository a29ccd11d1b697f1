package reconcile

import (
	"slices"
	"strings"

	"lanekeeper/bridge/text"
)

// people are first those who have to go, then those who are missing.
func (f *differ) people() {
	for _, user := range f.a.users() {
		if _, belongs := f.d.Members[user]; !belongs && user != f.bot {
			f.remove(user)
		}
	}
	for _, user := range sorted(f.d.Members) {
		f.bring(user, f.d.Members[user])
	}
}

// welcome is the reason of an invitation: what the room is about, as its name says. A
// ghost needs none, nor who is asked into a direct chat.
func (f *differ) welcome(m Member) string {
	switch {
	case m.Guest || f.d.Word == "":
		return ""
	case f.d.Project == "":
		return text.AddedForAnyone(f.title)
	}
	return text.AddedForAnyone(strings.TrimPrefix(f.title, f.d.Word+nameSeparator))
}

// remove takes out somebody without a right; what is banned already stays so.
func (f *differ) remove(user string) {
	is := f.a.member(user).is
	if is != "join" && is != "invite" && is != "knock" || f.d.MayStay != nil && f.d.MayStay(user) {
		return
	}
	if f.peer(user) {
		return
	}
	words, reason := text.StepKick(user, f.title), text.RemovedForAnyone(f.title)
	if is == "knock" { // who never was in it shall not learn what it is called
		reason = ""
	}
	if is == "invite" {
		words = text.StepUninvite(user, f.title)
	}
	f.try(f.power.scalar("kick"), Step{Op: OpKick, User: user, Words: words, Drift: true, reason: reason})
}

// peer reports whether somebody is at the bot's own level, so that it can neither
// remove them nor lift their ban, and says so if the levels did not.
func (f *differ) peer(user string) bool {
	if f.power.of(user) < f.power.of(f.bot) {
		return false
	}
	if !slices.Contains(f.peers, user) {
		f.step(Step{Op: OpImpossible, User: user, Words: text.CannotLower(user, f.title, true)})
	}
	return true
}

// bring gets somebody in who belongs there.
func (f *differ) bring(user string, m Member) {
	now := f.a.member(user)
	if now.is == "join" || now.is == "invite" && !m.Guest || !f.wanted(user, m) {
		return
	}
	if now.is == "ban" {
		if f.peer(user) {
			return
		}
		f.try(max(f.power.scalar("ban"), f.power.scalar("kick")), Step{Op: OpUnban, User: user, Words: text.StepUnban(user, f.title), Drift: true})
	}
	if now.is != "invite" {
		another := now.is == "ban" || now.is == "leave" && now.by != user
		f.try(f.power.scalar("invite"), Step{
			Op: OpInvite, User: user, Words: text.StepInvite(user, f.title), Drift: another, ghost: m.Name, reason: f.welcome(m),
		})
	}
	if m.Guest {
		f.step(Step{Op: OpJoin, User: user, Words: text.StepGuest(m.Name, f.title), ghost: m.Name})
	}
}
