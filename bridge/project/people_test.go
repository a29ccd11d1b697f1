package project_test

import (
	"strings"
	"testing"
	"time"

	. "lanekeeper/bridge/project"
)

// LANE-15: people come, change their role and go by the record alone.
func TestAdd(t *testing.T) {
	p, later := acme(t), noon.Add(time.Hour)
	must(t, false)(p.Add(xena, "expert", catalogue.Roles, false, later))
	if !p.Person(xena).Since.Equal(noon) {
		t.Error("adding again without need counts as a new invitation")
	}
	must(t, true)(p.Add(xena, "expert", catalogue.Roles, true, later))
	if !p.Person(xena).Since.Equal(later) {
		t.Error("who left is not invited anew")
	}
	must(t, true)(p.Approve(Decision{By: mia, User: xena}, house{p}, later))
	must(t, true)(p.Ask(Ask{Number: 7, User: xena, Access: Full}, house{p}, later))
	c := must(t, true)(p.Add(xena, "customer", catalogue.Roles, false, later))
	if len(p.People) != 3 || p.Person(xena).Role != "customer" || len(p.Grants)+len(p.Requests) != 0 {
		t.Errorf("%+v", p)
	}
	if len(c.Ended) != 1 || len(c.Closed) != 1 || c.Closed[0].State != Withdrawn || c.Closed[0].Number != 7 {
		t.Errorf("%+v", c)
	}
	must(t, false)(p.Add(mia, "manager", catalogue.Roles, false, later))
	refused(t, p, BadArgument, func() (Change, error) { return p.Add(mia, "king", catalogue.Roles, false, later) })
	refused(t, p, BadArgument, func() (Change, error) { return p.Add("mia", "expert", catalogue.Roles, false, later) })
}

// LANE-11: accepting makes an expert, once.
func TestAccept(t *testing.T) {
	p, later := acme(t), noon.Add(time.Hour)
	eve := "@eve:example.org"
	must(t, true)(p.Accept(eve, "expert", false, later))
	must(t, false)(p.Accept(eve, "expert", false, later))
	must(t, true)(p.Accept(eve, "expert", true, later.Add(1)))
	if len(p.People) != 4 || p.Person(eve).Role != "expert" {
		t.Errorf("%+v", p.People)
	}
	refused(t, p, Conflict, func() (Change, error) { return p.Accept(carl, "expert", false, later) })
	refused(t, p, NotFound, func() (Change, error) { return p.Accept("@joe:a.org", "", false, later) })
	refused(t, p, BadArgument, func() (Change, error) { return p.Accept("joe", "expert", false, later) })
}

func TestRemove(t *testing.T) {
	p := acme(t)
	must(t, true)(p.Approve(Decision{By: mia, User: xena}, house{p}, noon))
	must(t, true)(p.Ask(Ask{Number: 7, User: xena, Access: Full}, house{p}, noon))
	c := must(t, true)(p.Remove(xena))
	if p.Person(xena) != nil || len(p.Grants)+len(p.Requests) != 0 || len(c.Ended) != 1 || len(c.Closed) != 1 {
		t.Errorf("%+v %+v", p, c)
	}
	must(t, false)(p.Remove(xena))
	must(t, true)(p.Add(xena, "expert", catalogue.Roles, false, noon))
	if p.Grant(xena, Customer) != nil {
		t.Error("who comes back brings an old grant along")
	}
	refused(t, p, BadArgument, func() (Change, error) { return p.Remove(strings.Repeat("x", 300)) })
}

func TestWelcome(t *testing.T) {
	p := acme(t)
	g := Guest{User: "@ghost:example.org", Name: "Dana", Lane: Customer}
	if !p.Welcome(g) || p.Welcome(g) {
		t.Error("welcomed twice")
	}
	g.Name = "Dana (Support)"
	if !p.Welcome(g) || len(p.Guests) != 1 || p.Guests[0].Name != g.Name {
		t.Errorf("%+v", p.Guests)
	}
	g.Lane = Internal
	if !p.Welcome(g) || len(p.Guests) != 2 {
		t.Errorf("%+v", p.Guests)
	}
}
