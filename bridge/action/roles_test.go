package action_test

import (
	"testing"

	"lanekeeper/bridge/project"
)

// R4: people is not the right to everything. By whatever door a role is given, the
// same rule is asked.
func TestWhoGivesRoles(t *testing.T) {
	const no = project.NotAllowed
	each(t, func(o *office) {
		for _, c := range []struct {
			what, profile, by, user string
			role                    project.Role
			want                    project.Code
		}{
			{"R4 an expert becomes a customer by somebody without approve", "agency", abe, xena, "customer", no},
			{"R4 with approve", "agency", mia, xena, "customer", ""},
			{"R4 one's own", "agency", mia, mia, "ops", no},
			{"R4 one's own, downwards", "agency", mia, mia, "agency", no},
			{"R4 platform staff themselves", "agency", olga, olga, "manager", no},
			{"R4 into a lane where one is not", "managed", abe, new1, "customer", no},
			{"R4 oneself into it", "managed", abe, abe, "customer", no},
			{"R4 account manager outside enterprise", "managed", ann, ann, "customer", no},
			{"R4 an expert without accept", "agency", ann, new1, "expert", no},
			{"R4 who has request needs accept, too", "agency", ann, new1, "editor", no},
			{"R4 with accept", "agency", abe, new1, "editor", ""},
			{"R4 a first role with people", "agency", ann, new1, "customer", ""},
			{"R4 rights over people that one has not", "agency", abe, new1, "manager", no},
			{"R4 only lower", "agency", ann, ann, "stakeholder", no},
			{"R4 lower with people", "agency", abe, ann, "stakeholder", ""},
			{"R4 a customer lower", "agency", ann, carl, "stakeholder", ""},
			{"R4 up with people alone", "open", ann, carl, "manager", no},
			{"R4 the same again", "agency", ann, carl, "customer", ""},
			{"R4 by the staff", "agency", olga, xena, "manager", ""},
		} {
			id := o.project(c.profile)
			o.is(o.add(id, c.by, c.user, c.role), c.want, c.what)
		}
	})
}

// R4: remove and add again is a change of role.
func TestRemovedKeepTheirRole(t *testing.T) {
	each(t, func(o *office) {
		id := o.project("agency")
		o.is(o.remove(id, abe, xena), "", "remove")
		o.is(o.add(id, abe, xena, "customer"), project.NotAllowed, "R4 laundered by removing first")
		o.is(o.remove(id, abe, carl), "", "remove")
		o.is(o.accept(id, abe, carl), project.NotAllowed, "R4 laundered by accepting")
		o.is(o.accept(id, abe, xena), "", "accepted again")
		o.is(o.remove(id, abe, xena), "", "removed again")
		o.is(o.add(id, mia, xena, "customer"), "", "with approve")
	})
}

// R4: accept asks the same rule, and touches nobody who is something else.
func TestAccept(t *testing.T) {
	each(t, func(o *office) {
		id := o.project("agency")
		o.is(o.accept(id, ann, new1), project.NotAllowed, "without accept")
		o.is(o.accept(id, abe, carl), project.Conflict, "somebody who has another role")
		o.is(o.accept(id, abe, new1), "", "with accept")
		o.is(o.accept(id, abe, new1), "", "again")
		o.a.Policy.Profiles["agency"].AcceptedAs = "manager"
		o.is(o.accept(id, abe, "@else:x"), project.NotAllowed, "R4 a profile that makes managers of whom somebody accepts")
		o.a.Policy.Profiles["agency"].AcceptedAs = "expert"
		managed := o.project("managed")
		o.is(o.accept(managed, abe, new1), project.NotAllowed, "R4 into a lane where one is not")
	})
}
