package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"lanekeeper/bridge/project"
)

// Problem is one thing that is wrong in the configuration.
type Problem struct {
	Key      string // path in the file, as in profiles.agency.lanes.notes.history
	Sentence string // what is wrong and how to repair it, without the key
}

// problems collects them, so that all are told at once.
type problems []Problem

func (ps *problems) add(key, sentence string, args ...any) {
	*ps = append(*ps, Problem{Key: key, Sentence: fmt.Sprintf(sentence, args...)})
}

var (
	wordShape   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	userShape   = regexp.MustCompile(`^@[^:\s*]+:[^\s/@*]+$`)
	serverShape = regexp.MustCompile(`^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`) // spec appendices, "Server name"; in small letters
)

// reserved cannot be roles: they are other flags of `project create`, where
// --ROLE names a person, or stand for something else in profiles.
var reserved = []project.Role{Everybody, "profile", "tier", "project", "private", "force", "for", "help"}

// Validate tells everything that is wrong, in the order of the keys.
func (p *Policy) Validate() []Problem {
	var ps problems
	p.checkRoles(&ps)
	p.checkProfiles(&ps)
	p.checkPermissions(&ps)
	return ps
}

func (p *Policy) checkRoles(ps *problems) {
	if len(p.Roles) == 0 {
		ps.add("roles", "there is no role. Leave the key out to have the shipped ones.")
	}
	for _, role := range slices.Sorted(maps.Keys(p.Roles)) {
		key := "roles." + string(role)
		if !wordShape.MatchString(string(role)) {
			ps.add(key, "a role is a word of a-z, 0-9 and _ that starts with a letter, up to 32 long. Rename it.")
		}
		if slices.Contains(reserved, role) {
			ps.add(key, "this word means something else in commands or profiles. Rename the role.")
		}
		for _, a := range p.Roles[role] {
			switch {
			case a == Handoff:
				ps.add(key, "handoff is an ability of platform roles. Take it out, and give these people the platform role ops under permissions.")
			case !slices.Contains(roleAbilities, a):
				ps.add(key, "there is no ability %q. Use some of %s.", a, either(roleAbilities))
			}
		}
	}
}

func (p *Policy) checkProfiles(ps *problems) {
	if p.Default == "" {
		ps.add("default_profile", "it is empty. Name one of %s.", p.profileNames())
	} else if p.Profiles[p.Default] == nil {
		ps.add("default_profile", "there is no profile %q. Name one of %s.", p.Default, p.profileNames())
	}
	if len(p.Profiles) == 0 {
		ps.add("profiles", "there is no profile. Leave the key out to have the shipped ones.")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Profiles)) {
		key := "profiles." + name
		if !wordShape.MatchString(name) {
			ps.add(key, "a profile's name is a word of a-z, 0-9 and _ that starts with a letter, up to 32 long. Rename it.")
		}
		profile := p.Profiles[name]
		if profile == nil || len(profile.Lanes) == 0 {
			ps.add(key+".lanes", "there is no lane. Add at least one of %s.", either(kinds))
			continue
		}
		if profile.AcceptedAs != "" {
			p.checkAccepted(ps, key+".accepted_as", profile.AcceptedAs)
		}
		for _, kind := range slices.Sorted(maps.Keys(profile.Lanes)) {
			p.checkLane(ps, fmt.Sprintf("%s.lanes.%s", key, kind), kind, profile.Lanes[kind])
		}
	}
}

func (p *Policy) checkLane(ps *problems, key string, kind project.Kind, lane *Lane) {
	if !slices.Contains(kinds, kind) {
		ps.add(key, "there is no lane of this kind. Use some of %s.", either(kinds))
	}
	if lane == nil {
		ps.add(key, "the lane is empty. Give it access and history, or take it out.")
		return
	}
	p.checkAccess(ps, key+".access", kind, lane)
	for _, role := range slices.Sorted(maps.Keys(lane.OnlyForTiers)) {
		at := key + ".only_for_tiers." + string(role)
		p.checkRole(ps, at, role)
		if lane.rung(role).Access() == project.None {
			ps.add(at, "this role is not in the lane, so the tier changes nothing. Name it under access, or take it out here.")
		}
		if len(lane.OnlyForTiers[role]) == 0 {
			ps.add(at, "there is no tier. Name at least one, as in [enterprise].")
		}
	}
	for _, role := range slices.Sorted(maps.Keys(lane.Grantable)) {
		at := key + ".grantable." + string(role)
		if role == Everybody {
			ps.add(at, "grants need a role by its name. List the roles one by one.")
			continue
		}
		p.checkRole(ps, at, role)
		p.checkInside(ps, at, kind, role)
		lane.checkGrantable(ps, at, role)
	}
	if !slices.Contains(histories, lane.History) {
		ps.add(key+".history", "%q is no history. Use %s.", lane.History, either(histories))
	}
}

func (p *Policy) checkAccess(ps *problems, key string, kind project.Kind, lane *Lane) {
	inside := false
	for _, role := range slices.Sorted(maps.Keys(lane.Access)) {
		at, rung := key+"."+string(role), lane.Access[role]
		if role != Everybody {
			p.checkRole(ps, at, role)
		}
		checkRung(ps, at, rung, project.None)
		inside = inside || rung != Rung(project.None.String())
		if rung.Access() != project.None {
			p.checkInside(ps, at, kind, role)
		}
	}
	if !inside {
		ps.add(key, "no role is in this lane. Give at least one role access, or take the lane out.")
	}
}

func (l *Lane) checkGrantable(ps *problems, key string, role project.Role) {
	start, g := l.rung(role).Access(), l.Grantable[role]
	if _, bound := l.OnlyForTiers[role]; bound {
		start = project.None // in projects of another tier
	}
	if len(g.Access) == 0 {
		ps.add(key+".access", "there is nothing to grant. List some of read, text, full.")
	}
	for _, rung := range g.Access {
		switch a := rung.Access(); {
		case !checkRung(ps, key+".access", rung, project.Read):
		case a > project.Full:
			ps.add(key+".access", "%s comes with a role, not by approval. List some of read, text, full.", rung)
		case a <= start:
			ps.add(key+".access", "%s has %s from the start, so granting %s adds nothing. Take it out.", role, start, rung)
		}
	}
	if g.Default == "" {
		ps.add(key+".default", "it is missing. Name the rung that is meant when nobody names one, for example text.")
	} else if len(g.Access) > 0 && !slices.Contains(g.Access, g.Default) {
		ps.add(key+".default", "%q is not listed under access. Use one of those, or add it there.", g.Default)
	}
}

// checkInside keeps the lanes of staff from those whom staff talk about there: from
// customers, who have no ability to work on a project, and the notes from those who
// ask staff for access.
func (p *Policy) checkInside(ps *problems, key string, kind project.Kind, role project.Role) {
	abilities, exists := p.Roles[role]
	switch {
	case kind != project.Internal && kind != project.Notes:
	case role == Everybody:
		ps.add(key, "the %s lane is for staff, and everybody includes customers. Name the roles one by one.", kind)
	case exists && !slices.ContainsFunc(abilities, Ability.works):
		ps.add(key, "the %s lane is for staff, and this role is a customer's: it has none of %s. Take it out here, or give it one of these abilities under roles.", kind, either(working))
	case kind == project.Notes && slices.Contains(abilities, Request):
		ps.add(key, "the notes lane is for staff, and this role asks staff for access. Take it out here, or take request from its abilities.")
	}
}

// checkAccepted keeps accept from making staff: it needs no approval.
func (p *Policy) checkAccepted(ps *problems, key string, role project.Role) {
	p.checkRole(ps, key, role)
	for _, a := range []Ability{Accept, People, Approve, Project} {
		if slices.Contains(p.Roles[role], a) {
			ps.add(key, "%s has the ability %s, and accept would give it without an approval. Name a role that has none of accept, people, approve, project.", role, a)
			return
		}
	}
}

func (p *Policy) checkRole(ps *problems, key string, role project.Role) {
	if _, ok := p.Roles[role]; !ok {
		ps.add(key, "there is no role %q. Use one of %s, or add it under roles.", role, either(slices.Sorted(maps.Keys(p.Roles))))
	}
}

func checkRung(ps *problems, key string, rung Rung, least project.Access) bool {
	a, err := project.ParseAccess(string(rung))
	if err != nil || a < least {
		ps.add(key, "%q is no access. Use one of %s.", rung, either(rungWords(least)))
		return false
	}
	return true
}

func rungWords(least project.Access) (words []string) {
	for a := least; a <= project.Ops; a++ {
		words = append(words, a.String())
	}
	return words
}

func (p *Policy) checkPermissions(ps *problems) {
	for _, who := range slices.Sorted(maps.Keys(p.Permissions)) {
		key, role := "permissions."+who, p.Permissions[who]
		wrong, one := checkWho(who)
		switch {
		case wrong != "":
			ps.add(key, "%s", wrong)
		case !one && role != Nobody && role != User && slices.Contains(platformRoles, role):
			ps.add(key, "this is not one person, so it can be none or user at most, not %s. Name each person by their full Matrix id, such as \"@name:example.org\": %s.", role, role)
		}
		if !slices.Contains(platformRoles, role) {
			ps.add(key, "there is no platform role %q. Use one of %s.", role, either(platformRoles))
		}
	}
}

// checkWho says what is wrong with who gets a platform role, and whether it is one person.
func checkWho(who string) (wrong string, one bool) {
	one = strings.HasPrefix(who, "@")
	_, server, _ := strings.Cut(who, ":")
	if !one {
		server = who
	}
	switch {
	case one && !userShape.MatchString(who):
		return "this is no Matrix user. Write it as @name:example.org.", one
	case who == "*", serverShape.MatchString(server):
		return "", one
	case serverShape.MatchString(strings.ToLower(server)):
		return "the server's name is not in small letters, as it stands in Matrix ids, so this matches nobody. Write it in small letters.", one
	case !one && userShape.MatchString("@"+who):
		return fmt.Sprintf("this looks like a user without the @. Write it as \"@%s\".", who), one
	case one:
		return "this is no Matrix user. Write it as @name:example.org.", one
	}
	return "this is neither a user (@name:example.org) nor a server (example.org) nor \"*\". Write one of these.", one
}

func (p *Policy) profileNames() string {
	return either(slices.Sorted(maps.Keys(p.Profiles)))
}

// either lists words for a sentence: "a, b or c".
func either[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}
