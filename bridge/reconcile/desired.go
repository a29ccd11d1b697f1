package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// keeperOf is the user of ours that keeps a project's rooms: it stands above everybody
// there, and is nobody's person.
func keeperOf(pol *policy.Policy, p *project.Project) string { return cmp.Or(p.Keeper, pol.Bot) }

// Desired is a room as its record says. What depends on how the room is (its
// version, a name that somebody gave, who left by themselves) is worked out by
// Diff.
type Desired struct {
	Kind    string
	Project string // id; "" for rooms of no project

	Word    string     // what the name begins with; "": the name is nobody's business
	Title   string     // the name of a new room
	Welcome text.Words // what is said in it when it is made; may be empty

	Type string // of m.room.create: "m.space", or "" for a room to talk in

	State    map[Key]map[string]any // exact contents, besides name and levels
	Children []Child                // Space only: its lanes, in order
	Members  map[string]Member      // who belongs in it, besides the bot
	MayStay  func(user string) bool // who else is left in; nil: nobody

	// Refused reports whether the homeserver refused an invitation (the words of its
	// step) before: then the person is not listed until they are in. May be nil.
	Refused func(invitation string) bool

	// Levels is the complete content of m.room.power_levels; listed are those
	// people who are in the room, invited, or about to be.
	Levels func(version string, listed map[string]project.Access) map[string]any

	// Foreign: the room was made by an operator, who keeps its name, rules and
	// levels.
	Foreign bool
}

// Child is a lane that its Space links.
type Child struct {
	Room  string // id; "" while the lane is to be made
	Title string
	Via   string // server name
}

// Member is somebody who belongs in a room.
type Member struct {
	Access project.Access
	Since  time.Time // added or approved then: leaving before that was no refusal
	Guest  bool      // a ghost of ours
	Name   string    // of a ghost
}

// kindsOf lists the rooms that a project shall have, lanes in the profile's order,
// then the Space, which links what stands by then. What the profile had once stays
// and is emptied: nobody has access there any more.
func kindsOf(pol *policy.Policy, p *project.Project, rooms []*store.Room) []project.Kind {
	kinds := slices.Clone(pol.Lanes(p))
	if pol.HasSpace(p) {
		kinds = append(kinds, project.Space)
	}
	for _, r := range rooms {
		if kind := project.Kind(r.Kind); r.ID != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// DesiredRoom is one room of a project: a lane or the Space. rooms are those of
// the project that exist.
func DesiredRoom(pol *policy.Policy, p *project.Project, kind project.Kind, rooms []*store.Room, domain string, now time.Time) *Desired {
	d := &Desired{
		Kind: string(kind), Project: p.ID, Word: text.LaneWord(kind), Title: text.LaneTitle(kind, p.Name),
		State: map[Key]map[string]any{
			{typeJoinRules, ""}: {"join_rule": "invite"},
			{typeGuests, ""}:    {"guest_access": "forbidden"},
			{typeHistory, ""}:   {"history_visibility": pol.History(p, kind)},
			{typeLane, ""}:      {"project": p.ID, "kind": string(kind)},
		},
		Members: members(pol, p, kind, now),
	}
	d.Levels = func(version string, listed map[string]project.Access) map[string]any {
		return pol.Levels(p, kind, version, keeperOf(pol, p), listed)
	}
	if kind == project.Space {
		d.Type = "m.space"
		d.State[Key{typeProject, ""}] = map[string]any{
			"id": p.ID, "slug": p.Slug, "name": p.Name, "profile": p.Profile, "tier": p.Tier, "status": p.Status,
		}
		d.Children = children(pol, p, rooms, domain)
		return d
	}
	d.State[Key{typeTopic, ""}] = topic(pol, p, kind)
	return d
}

// picture gives the room an avatar; "" leaves it as it is. Only the bot sets avatars, by
// the levels.
func (d *Desired) picture(address string) {
	if address != "" && !d.Foreign {
		d.State[Key{typeAvatar, ""}] = map[string]any{"url": address}
	}
}

// topic says who reads a lane. It stands in invitations, too.
func topic(pol *policy.Policy, p *project.Project, kind project.Kind) map[string]any {
	words := text.TopicForCustomers()
	if kind != project.Customer || pol.StaffOnly(p, kind) {
		words = text.TopicForStaff(kind)
	}
	return map[string]any{"topic": words}
}

func members(pol *policy.Policy, p *project.Project, kind project.Kind, now time.Time) map[string]Member {
	names := map[string]string{}
	for _, g := range p.Guests {
		names[g.User] = g.Name
	}
	out := map[string]Member{}
	for _, m := range pol.Members(p, kind, now) {
		if pol.IsOurs(m.User) && !m.Guest {
			continue
		}
		member := Member{Access: m.Access, Guest: m.Guest}
		if m.Guest {
			member.Name = names[m.User]
		}
		if person := p.Person(m.User); person != nil {
			member.Since = person.Since
		}
		if g := p.Grant(m.User, kind); g.Holds(now) && g.Since.After(member.Since) {
			member.Since = g.Since
		}
		out[m.User] = member
	}
	return out
}

func children(pol *policy.Policy, p *project.Project, rooms []*store.Room, domain string) []Child {
	var out []Child
	for _, kind := range pol.Lanes(p) {
		child := Child{Title: text.LaneTitle(kind, p.Name), Via: domain}
		for _, r := range rooms {
			if r.Kind == string(kind) {
				child.Room = r.ID
			}
		}
		out = append(out, child)
	}
	return out
}

// DesiredSuperAdmin is the super-admin room. Staff by exact MXID is invited, once;
// staff by a wildcard may stay if somebody let them in.
func DesiredSuperAdmin(pol *policy.Policy, foreign bool) *Desired {
	d := &Desired{
		Kind: store.SuperAdmin, Word: "Super-admin", Title: "Super-admin" + nameSeparator + "Lanekeeper", Foreign: foreign,
		State: map[Key]map[string]any{
			{typeLane, ""}: {"kind": store.SuperAdmin},
		},
		Welcome: text.WelcomeForSuperAdmins(),
		Members: map[string]Member{},
		MayStay: func(user string) bool { return foreign || pol.Can(user, policy.Handoff, nil) },
		Levels: func(version string, _ map[string]project.Access) map[string]any {
			return policy.SuperAdminLevels(version, pol.Bot)
		},
	}
	if !foreign {
		d.State[Key{typeJoinRules, ""}] = map[string]any{"join_rule": "invite"}
		d.State[Key{typeGuests, ""}] = map[string]any{"guest_access": "forbidden"}
		d.State[Key{typeHistory, ""}] = map[string]any{"history_visibility": "shared"}
		d.State[Key{typeTopic, ""}] = map[string]any{"topic": text.TopicForSuperAdmins()}
	}
	for _, user := range pol.Exact(policy.Handoff) {
		d.Members[user] = Member{Access: project.Full}
	}
	return d
}

// DesiredDirect is a direct chat that the bot opens. It is brought to this once,
// when it is made; afterwards it is the person's.
func DesiredDirect(pol *policy.Policy, user string) *Desired {
	return &Desired{
		Kind: store.Direct, Title: "the direct chat with " + user,
		State: map[Key]map[string]any{
			{typeJoinRules, ""}: {"join_rule": "invite"},
			{typeGuests, ""}:    {"guest_access": "forbidden"},
			{typeHistory, ""}:   {"history_visibility": "shared"},
		},
		Members: map[string]Member{user: {Access: project.Full}},
		Levels: func(version string, _ map[string]project.Access) map[string]any {
			return policy.DirectLevels(version, pol.Bot)
		},
	}
}

// nameSeparator stands between what a room is and what it is about.
const nameSeparator = " · "

// maxNameBytes is what m.room.name can hold at most
// (https://spec.matrix.org/v1.15/client-server-api/#mroomname, for clients).
const maxNameBytes = 255

// name is what the room shall be called: as somebody named it, if that begins with
// the room's word. Else only the word is put back.
func (d *Desired) name(have string) string {
	switch {
	case d.Word == "":
		return have
	case strings.TrimSpace(have) == "":
		return d.Title
	case begins(have, d.Word):
		return have
	}
	return clip(d.Word+nameSeparator+strings.TrimSpace(have), maxNameBytes)
}

// called is what people in a room call it.
func (d *Desired) called(a *Actual) string {
	if have := a.text(typeName, "name"); have != "" && have == d.name(have) {
		return have
	}
	return d.Title
}

// begins reports whether the first word of a name is the given one.
func begins(name, word string) bool {
	if len(name) < len(word) || !strings.EqualFold(name[:len(word)], word) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(name[len(word):])
	return len(name) == len(word) || !unicode.IsLetter(next) && !unicode.IsDigit(next) && !unicode.IsMark(next)
}

// clip shortens a text to a number of bytes between two characters.
func clip(s string, n int) string {
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
