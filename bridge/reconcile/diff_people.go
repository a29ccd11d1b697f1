package reconcile

import (
	"slices"

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

// remove takes out somebody without a right; what is banned already stays so.
func (f *differ) remove(user string) {
	is := f.a.member(user).is
	if is != "join" && is != "invite" && is != "knock" || f.d.MayStay != nil && f.d.MayStay(user) {
		return
	}
	if f.peer(user) {
		return
	}
	words := text.StepKick(user, f.title)
	if is == "invite" {
		words = text.StepUninvite(user, f.title)
	}
	f.try(f.power.scalar("kick"), Step{Op: OpKick, User: user, Words: words, Drift: true})
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
		f.try(f.power.scalar("invite"), Step{Op: OpInvite, User: user, Words: text.StepInvite(user, f.title), Drift: another, ghost: m.Name})
	}
	if m.Guest {
		f.step(Step{Op: OpJoin, User: user, Words: text.StepGuest(m.Name, f.title), ghost: m.Name})
	}
}
