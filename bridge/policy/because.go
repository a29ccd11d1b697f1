package policy

import (
	"fmt"
	"time"

	"lanekeeper/bridge/project"
)

// Reason is one rule that led to what somebody has in a lane. Text is a sentence
// about "they", for people of the project; it holds no MXIDs.
type Reason struct {
	Rule string `json:"rule"`
	Text string `json:"text"`
	By   string `json:"by,omitempty"` // MXID of who approved, where somebody did
}

// The rules that Because can name.
const (
	RuleStranger  = "not_in_project"
	RuleNoLane    = "no_lane"
	RuleRole      = "role"
	RuleTier      = "tier"
	RuleGrant     = "grant"
	RuleEnded     = "grant_ended"
	RuleGrantable = "grantable"
	RuleArchived  = "archived"
	RuleSpace     = "space"
	RuleGuest     = "guest"
)

// Because says why somebody has in a lane what Access says, in the order in which
// the rules apply.
func (p *Policy) Because(pr *project.Project, user string, kind project.Kind, now time.Time) []Reason {
	person := pr.Person(user)
	if person == nil {
		return p.becauseStranger(pr, user, kind)
	}
	if kind == project.Space {
		return []Reason{p.becauseSpace(pr, person)}
	}
	lane := p.Profiles[pr.Profile].lane(kind)
	if lane == nil {
		return []Reason{{Rule: RuleNoLane, Text: fmt.Sprintf("Projects of the profile %s have no %s lane.", pr.Profile, kind)}}
	}
	start := p.start(pr, person.Role, kind)
	reasons := []Reason{{Rule: RuleRole, Text: roleText(person.Role, start)}}
	if tiers, bound := lane.OnlyForTiers[person.Role]; bound {
		text := fmt.Sprintf("The role %s is in this lane only if the tier is %s; here it is %s.", person.Role, either(tiers), tierName(pr.Tier))
		reasons = append(reasons, Reason{Rule: RuleTier, Text: text})
	}
	reasons = append(reasons, p.becauseGrant(pr, person, kind, start, now)...)
	if pr.Status == project.Archived {
		reasons = append(reasons, Reason{Rule: RuleArchived, Text: "The project is archived, so only staff can write."})
	}
	return reasons
}

func (p *Policy) becauseStranger(pr *project.Project, user string, kind project.Kind) []Reason {
	for _, g := range pr.Guests {
		if g.User == user && g.Lane == kind {
			return []Reason{{Rule: RuleGuest, Text: "This account speaks for somebody on the support team who answered here."}}
		}
	}
	return []Reason{{Rule: RuleStranger, Text: "They're not in this project. A platform role alone gives no access to a lane."}}
}

func (p *Policy) becauseSpace(pr *project.Project, person *project.Person) Reason {
	text := fmt.Sprintf("The role %s isn't in every lane by default, so it isn't in the Space.", person.Role)
	if !p.HasSpace(pr) {
		text = "This project has one lane, so it has no Space."
	} else if p.spaceAccess(pr, person.Role) != project.None {
		text = fmt.Sprintf("The role %s is in every lane by default, so it's in the Space.", person.Role)
	}
	return Reason{Rule: RuleSpace, Text: text}
}

func (p *Policy) becauseGrant(pr *project.Project, person *project.Person, kind project.Kind, start project.Access, now time.Time) []Reason {
	g := pr.Grant(person.User, kind)
	rungs, _, ok := p.Grantable(pr, person.Role, kind)
	switch {
	case p.granted(pr, person, kind, now) != nil:
		text := fmt.Sprintf("Approved on %s: %s%s.", day(g.Since), g.Access, until(g))
		return []Reason{{Rule: RuleGrant, Text: text, By: g.Approver}}
	case g != nil && !g.Holds(now):
		text := fmt.Sprintf("An approval of %s (%s) ended on %s.", day(g.Since), g.Access, at(*g.Until))
		return []Reason{{Rule: RuleEnded, Text: text, By: g.Approver}}
	case g != nil:
		text := fmt.Sprintf("An approval of %s (%s) no longer counts: the profile %s doesn't allow it.", day(g.Since), g.Access, pr.Profile)
		return []Reason{{Rule: RuleEnded, Text: text, By: g.Approver}}
	case ok && rungs[len(rungs)-1] > start:
		return []Reason{{Rule: RuleGrantable, Text: fmt.Sprintf("A manager can grant up to %s; nobody has so far.", rungs[len(rungs)-1])}}
	}
	return nil
}

func roleText(role project.Role, start project.Access) string {
	if start == project.None {
		return fmt.Sprintf("The role %s has no access here by default.", role)
	}
	return fmt.Sprintf("The role %s has %s here by default.", role, start)
}

func until(g *project.Grant) string {
	if g.Until == nil {
		return ""
	}
	return " until " + at(*g.Until)
}

func tierName(tier string) string {
	if tier == "" {
		return "not set"
	}
	return tier
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

func at(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
