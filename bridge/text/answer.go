package text

import (
	"fmt"
	"strings"
	"time"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
)

// What commands answer. The audience is who gave the command, and whoever reads along
// in that room.

// CreatedForSender answers `project create`; people are those named, see WithRole.
func CreatedForSender(name string, people []Words) Words {
	if len(people) == 0 {
		return Say("%s is ready. Next: %s.", name, Code("add @name:example.org customer"))
	}
	return Say("%s is ready. Invited: %s.", name, Separate(", ", people))
}

// WithRole is a person with their role.
func WithRole(person Words, role project.Role) Words { return Say("%s (%s)", person, roleName(role)) }

// ExistsForSender answers `project create` when there is just that project.
func ExistsForSender(name string) Words { return Say("%s already exists. Nothing changed.", name) }

// RoomsForSender leads to the rooms of a project, as far as readers may know of them.
func RoomsForSender(rooms []Pill) Words {
	if len(rooms) == 0 {
		return Words{}
	}
	var parts []Words
	for _, r := range rooms {
		parts = append(parts, Say("%s", r))
	}
	return Say("Rooms: %s", Separate(" · ", parts))
}

// ProjectForSender is a project in a list.
func ProjectForSender(slug, name, status string) Words {
	return Say("%s – %s%s", Code(slug), name, archived(status))
}

// ProjectHeadForSender begins what `project show` says.
func ProjectHeadForSender(slug, name, profile, status string) Words {
	return Say("%s – %s%s, profile %s", Code(slug), name, archived(status), profile)
}

func archived(status string) string {
	if status == project.Archived {
		return " (archived)"
	}
	return ""
}

// MoreProjectsForSender ends a page of projects: how to see those behind it.
func MoreProjectsForSender(prefix, after string) Words {
	return Say("There are more: %s", Code(prefix+" project list --after "+after))
}

// NoMoreProjectsForSender is a page behind the last one.
func NoMoreProjectsForSender() Words { return Say("There are no more.") }

// NoProjectsForSender is an empty list; staff: of all projects.
func NoProjectsForSender(staff bool) Words {
	if staff {
		return Say("There's no project yet. %s makes one.", Code("project create"))
	}
	return Say("You're not in any project yet.")
}

// ArchivedForSender answers `project archive`.
func ArchivedForSender(name string, changed bool) Words {
	if !changed {
		return Say("%s is already archived. Nothing changed.", name)
	}
	return Say("%s is archived. Everyone can still read; only staff can write.", name)
}

// RestoredForSender answers `project restore`.
func RestoredForSender(name string, changed bool) Words {
	if !changed {
		return Say("%s is already active. Nothing changed.", name)
	}
	return Say("%s is active again.", name)
}

// Joined is somebody who was given a role.
type Joined struct {
	Person  Words
	Role    project.Role
	Project string
	Invited []string // lanes they are asked into now
	In      []string // lanes they are in already
	Changed bool
}

// JoinedForSender answers `add` and `accept`.
func JoinedForSender(j Joined) Words {
	w := Say("%s is now %s on %s", j.Person, asRole(j.Role), j.Project)
	switch {
	case !j.Changed:
		return Say("%s is already %s on %s. Nothing changed.", j.Person, asRole(j.Role), j.Project)
	case len(j.Invited) > 0:
		return Say("%s and invited to %s.", w, listed(j.Invited))
	case len(j.In) > 0:
		return Say("%s, in %s.", w, listed(j.In))
	}
	return Say("%s.", w)
}

func listed(names []string) Words {
	var parts []Words
	for _, n := range names {
		parts = append(parts, Say("%s", n))
	}
	return List(parts)
}

// roleName is a role as people say it.
func roleName(r project.Role) string { return strings.ReplaceAll(string(r), "_", " ") }

// asRole is a role with its article.
func asRole(r project.Role) string {
	name := roleName(r)
	switch {
	case name == "ops" || name == "agency":
		return name
	case name != "" && strings.ContainsRune("aeiou", rune(name[0])):
		return "an " + name
	}
	return "a " + name
}

// RemovedForSender answers `remove`.
func RemovedForSender(person Words, name string, changed bool) Words {
	if !changed {
		return Say("%s isn't on %s. Nothing changed.", person, name)
	}
	return Say("%s has been removed from %s.", person, name)
}

// RequestedForSender answers `request`.
func RequestedForSender(n int64) Words {
	return Say("Your request is with the project's managers; I'll tell you in our direct chat. (#%d)", n)
}

// GrantedForSender answers `approve`: what somebody can do now.
func GrantedForSender(person Words, lane string, a project.Access, until *time.Time, now time.Time) Words {
	switch {
	case a == project.None:
		return Say("%s still has no access to %s.", person, lane)
	case until != nil:
		return Say("%s can now %s %s until %s.", person, May(a), lane, Date(*until, now))
	}
	return Say("%s can now %s %s.", person, May(a), lane)
}

// DeclinedForSender answers `deny`.
func DeclinedForSender(n int64, person Words, why bool) Words {
	if !why {
		return Say("Declined. I've told %s. (#%d)", person, n)
	}
	return Say("Declined. I've told %s why. (#%d)", person, n)
}

// RevokedForSender answers `revoke`: what is left to somebody, by their role.
func RevokedForSender(person Words, lane string, left project.Access, role project.Role, changed bool) Words {
	switch {
	case !changed && left == project.None:
		return Say("Nothing to revoke: %s has no access to %s.", person, lane)
	case !changed:
		return Say("Nothing to revoke: %s has that access by the role %s.", person, roleName(role))
	case left == project.None:
		return Say("%s can no longer read %s.", person, lane)
	}
	return Say("%s can now only %s %s.", person, May(left), lane)
}

// Standing is what somebody has in one lane.
type Standing struct {
	Lane       string // its word; "" where only one lane is spoken of
	Access     project.Access
	Membership string // in the room, by Matrix; "" if never there
}

// PersonForSender is a line of `who`: a person with what they can do in lanes.
func PersonForSender(person Words, role project.Role, in []Standing) Words {
	w := Say("%s – %s", person, roleName(role))
	for i, s := range in {
		w = Say("%s%s %s", w, map[bool]string{true: ":", false: ";"}[i == 0], s.words())
	}
	return w
}

func (s Standing) words() string {
	can := may(s.Access)
	if s.Lane != "" {
		can = s.Lane + " (" + can + ")"
	}
	switch s.Membership {
	case "join":
		return can
	case "invite":
		return can + ", invited, not joined yet"
	case "leave", "ban":
		return can + ", has left"
	}
	return can + ", not there yet"
}

// may is May without the place.
func may(a project.Access) string {
	switch {
	case a >= project.Manager:
		return "can manage"
	case a >= project.Full:
		return "can write and send files"
	case a == project.Text:
		return "can write"
	case a == project.Read:
		return "can read"
	}
	return "no access"
}

// NobodyForSender is an empty list of people.
func NobodyForSender() Words { return Say("There's nobody I can list here.") }

// AccessForSender begins what `why` says.
func AccessForSender(person Words, lane string, a project.Access) Words {
	return Say("%s in %s: %s.", person, lane, may(a))
}

// RoleForSender is all that `why` says to those who read no reasons.
func RoleForSender(role project.Role) string { return fmt.Sprintf("Their role here is %s.", role) }

// GrantForSender is an approval as the reason for what somebody has.
func GrantForSender(by Words, g project.Grant) Words {
	w := Say("%s approved it on %s: %s", by, g.Since.UTC().Format("2 January 2006"), may(g.Access))
	if g.Until != nil {
		w = Say("%s until %s", w, g.Until.UTC().Format("2 January 2006, 15:04 UTC"))
	}
	if g.Reason == "" {
		return Say("%s.", w)
	}
	return Join(Say("%s:", w), quoted(g.Reason))
}

// EndedGrantForSender is an approval that counts no longer, with who gave it.
func EndedGrantForSender(by Words, what string) Words { return Say("%s Approved by %s.", what, by) }

// RequestForSender is a line of `requests`.
func RequestForSender(q project.Request, person Words, lane string) Words {
	w := Say("%s would like to %s %s. (#%d)", person, May(q.Access), lane, q.Number)
	if q.Reason == "" {
		return w
	}
	return Join(w, markup.Quote(Say("%s", q.Reason)))
}

// NoRequestsForSender is an empty list of requests.
func NoRequestsForSender() Words { return Say("No open requests.") }

// PlanForSender begins a list of so many steps.
func PlanForSender(n int) Words {
	switch n {
	case 0:
		return Say("All rooms match the record.")
	case 1:
		return Say("One difference from the record:")
	}
	return Say("%d differences from the record:", n)
}

// AppliedForSender answers `apply`, once so many steps are done.
func AppliedForSender(n int) Words {
	switch n {
	case 0:
		return PlanForSender(0)
	case 1:
		return Say("Fixed one difference.")
	}
	return Say("Fixed %d differences.", n)
}

// VersionForAnyone answers `version`.
func VersionForAnyone(version string) Words { return Say("Lanekeeper %s", version) }

// PingForAnyone answers `ping`.
func PingForAnyone(ms int64) Words { return Say("I'm here. Your message took %d ms.", ms) }

// MoreHandoffsForStaff ends a page of questions: how to see those behind it.
func MoreHandoffsForStaff(prefix, scope string, after any) Words {
	return Say("There are more: %s", Code(fmt.Sprintf("%s handoffs %s --after %v", prefix, scope, after)))
}

// CommandTakenOut is a command of staff that stood where customers read.
type CommandTakenOut struct {
	Lane  string // where it stood
	Again string // the command as it can be pasted

	Broken bool // it would not have run elsewhere: we failed on it
}

// CommandTakenOutForStaff tells its sender, in the direct chat alone.
func CommandTakenOutForStaff(t CommandTakenOut) Words {
	why := Say("I removed your command from %s because customers read there, and didn't run it. Send it here instead:", t.Lane)
	if t.Broken {
		why = Say("I removed your command from %s because customers read there. Sorry, something went wrong on my side and I didn't run it; I've told the operators. To send it again, do it here:", t.Lane)
	}
	return Join(why, Say("%s", Code(t.Again)))
}

// RefusedReactionForApprover says why ✅ or ❌ on the card of a request did nothing.
func RefusedReactionForApprover(n int64, why string) Words { return Say("%s (#%d)", Sentence(why), n) }
