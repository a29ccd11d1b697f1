package project_test

import (
	"strings"
	"testing"
	"time"

	. "lanekeeper/bridge/project"
)

// LANE-10, LANE-12: none, requested, granted, revoked, with who decided.
func TestRequest(t *testing.T) {
	p := acme(t)
	rules := house{p}
	c := must(t, true)(p.Ask(Ask{Number: 5, User: xena, Reason: "the logo"}, rules, noon))
	want := Request{Number: 5, Project: "p1", User: xena, Lane: Customer, Access: Text, Reason: "the logo", State: Open, Asked: noon}
	if *c.Request != want || *p.Request(5) != want || len(c.Closed) != 0 {
		t.Errorf("%+v", c.Request)
	}
	c = must(t, false)(p.Ask(Ask{Number: 6, User: xena, Lane: Customer, Access: Text}, rules, noon))
	if c.Request.Number != 5 || len(p.Requests) != 1 {
		t.Errorf("%+v", c.Request)
	}
	// Who is about to approve #5 shall not approve more than they read.
	c = must(t, true)(p.Ask(Ask{Number: 6, User: xena, Access: Full}, rules, noon))
	if c.Request.Number != 6 || len(c.Closed) != 1 || c.Closed[0].Number != 5 || c.Closed[0].State != Withdrawn || p.Request(5) != nil {
		t.Errorf("%+v", c)
	}
	refused(t, p, NotFound, func() (Change, error) { return p.Approve(Decision{By: mia, Number: 5}, rules, noon) })
	refused(t, p, NotFound, func() (Change, error) { return p.Withdraw(carl, 6) })
	c = must(t, true)(p.Withdraw(xena, 6))
	if len(p.Requests) != 0 || c.Closed[0].State != Withdrawn {
		t.Errorf("%+v", c)
	}
	refused(t, p, NotFound, func() (Change, error) { return p.Withdraw(xena, 6) })
}

func TestAskRefusals(t *testing.T) {
	p := acme(t)
	rules := house{p}
	must(t, true)(p.Approve(Decision{By: mia, User: xena, Access: Text}, rules, noon))
	for name, c := range map[string]struct {
		ask  Ask
		want Code
	}{
		"stranger":          {Ask{User: "@eve:a.org"}, NotFound},
		"has it":            {Ask{User: xena, Access: Text}, Conflict},
		"has more":          {Ask{User: xena, Access: Read}, Conflict},
		"default is had":    {Ask{User: xena}, Conflict},
		"from the start":    {Ask{User: xena, Lane: Internal}, Conflict},
		"not grantable":     {Ask{User: carl, Lane: Customer, Access: Manager}, NotFound},
		"no such lane":      {Ask{User: xena, Lane: "nosuch"}, NotFound},
		"a lane not theirs": {Ask{User: xena, Lane: Notes}, NotFound},
		"rung":              {Ask{User: xena, Access: Ops}, BadArgument},
		"reason":            {Ask{User: xena, Access: Full, Reason: strings.Repeat("x", MaxReason+1)}, BadArgument},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, p, c.want, func() (Change, error) { return p.Ask(c.ask, rules, noon) })
		})
	}
	_, nosuch := p.Ask(Ask{User: xena, Lane: "nosuch"}, rules, noon)
	_, notes := p.Ask(Ask{User: xena, Lane: Notes}, rules, noon)
	if nosuch.Error() != notes.Error() {
		t.Error("the words tell whether a lane exists")
	}
}

func TestApprove(t *testing.T) {
	p := acme(t)
	rules := house{p}
	must(t, true)(p.Ask(Ask{Number: 5, User: xena, Access: Full}, rules, noon))
	until := noon.Add(time.Hour)
	c := must(t, true)(p.Approve(Decision{By: mia, Number: 5, Until: &until, Reason: "fine"}, rules, noon))
	g := p.Grant(xena, Customer)
	if g.Access != Full || g.Approver != mia || g.Reason != "fine" || !g.Until.Equal(until) || !g.Since.Equal(noon) || *c.Grant != *g {
		t.Errorf("%+v", g)
	}
	if r := c.Closed[0]; r.State != Approved || r.DecidedBy != mia || r.Because != "fine" || r.Number != 5 || len(p.Requests) != 0 {
		t.Errorf("%+v", c.Closed)
	}
	if c.User != xena || c.Lane != Customer {
		t.Errorf("%+v", c)
	}
	must(t, false)(p.Approve(Decision{By: mia, User: xena, Access: Full, Until: &until}, rules, noon))
	must(t, true)(p.Approve(Decision{By: mia, User: xena, Access: Full}, rules, noon)) // for good now
	must(t, false)(p.Approve(Decision{By: mia, User: xena}, rules, noon))              // no rung named: as it stands
	c = must(t, true)(p.Approve(Decision{By: mia, User: xena, Access: Text}, rules, noon))
	if c.Grant.Access != Text || len(p.Grants) != 1 {
		t.Errorf("%+v", p.Grants)
	}
	must(t, true)(p.Ask(Ask{Number: 6, User: xena, Access: Full}, rules, noon))
	c = must(t, true)(p.Approve(Decision{By: mia, User: xena, Access: Text}, rules, noon)) // less than asked
	if len(c.Closed) != 1 || c.Closed[0].Access != Full || c.Grant.Access != Text || len(p.Requests) != 0 {
		t.Errorf("%+v", c)
	}
}

// Two people approve the same request: the second must not raise anybody.
func TestApproveTwice(t *testing.T) {
	p := acme(t)
	rules := house{p}
	must(t, true)(p.Ask(Ask{Number: 5, User: xena, Access: Read}, rules, noon))
	must(t, true)(p.Approve(Decision{By: mia, User: xena}, rules, noon))
	must(t, false)(p.Approve(Decision{By: "@olga:example.org", User: xena}, rules, noon))
	if g := p.Grant(xena, Customer); g.Access != Read || g.Approver != mia {
		t.Errorf("%+v", g)
	}
}

func TestApproveRefusals(t *testing.T) {
	p := acme(t)
	rules := house{p}
	must(t, true)(p.Ask(Ask{Number: 5, User: xena}, rules, noon))
	over := noon
	for name, c := range map[string]struct {
		d    Decision
		want Code
	}{
		"one's own":           {Decision{By: xena, User: xena}, NotAllowed},
		"one's own by number": {Decision{By: xena, Number: 5}, NotAllowed},
		"a manager's own":     {Decision{By: mia, User: mia}, NotAllowed},
		"number":              {Decision{By: mia, Number: 4}, NotFound},
		"stranger":            {Decision{By: mia, User: "@eve:a.org"}, NotFound},
		"role":                {Decision{By: mia, User: carl, Access: Full}, NotFound},
		"lane":                {Decision{By: mia, User: xena, Lane: Notes}, NotFound},
		"number, other lane":  {Decision{By: mia, Number: 5, Lane: Notes}, BadArgument},
		"number, other user":  {Decision{By: mia, Number: 5, User: carl}, BadArgument},
		"rung":                {Decision{By: mia, User: xena, Access: Manager}, BadArgument},
		"over":                {Decision{By: mia, User: xena, Until: &over}, BadArgument},
		"reason":              {Decision{By: mia, User: xena, Reason: strings.Repeat("x", MaxReason+1)}, BadArgument},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, p, c.want, func() (Change, error) { return p.Approve(c.d, rules, noon) })
		})
	}
	refused(t, p, NotAllowed, func() (Change, error) { return p.Deny(Decision{By: xena, Number: 5}) })
	refused(t, p, NotAllowed, func() (Change, error) { return p.Revoke(Decision{By: xena, User: xena}) })
}

func TestDeny(t *testing.T) {
	p := acme(t)
	rules := house{p}
	refused(t, p, NotFound, func() (Change, error) { return p.Deny(Decision{By: mia, User: xena}) })
	must(t, true)(p.Approve(Decision{By: mia, User: xena}, rules, noon))
	must(t, true)(p.Ask(Ask{Number: 5, User: xena, Access: Full}, rules, noon))
	c := must(t, true)(p.Deny(Decision{By: mia, User: xena, Reason: "not now"}))
	if r := c.Closed[0]; r.State != Denied || r.DecidedBy != mia || r.Because != "not now" || c.Lane != Customer {
		t.Errorf("%+v", r)
	}
	if p.Grant(xena, Customer) == nil {
		t.Error("a denial took what was granted before")
	}
	refused(t, p, NotFound, func() (Change, error) { return p.Deny(Decision{By: mia, Number: 5}) })
	for state, want := range map[RequestState]string{Denied: "denied", Approved: "approved", Withdrawn: "withdrawn"} {
		err := Decided(Request{Number: 5, State: state})
		if sentence(t, err); err.Code != Conflict || !strings.Contains(err.Sentence, "#5") || !strings.Contains(err.Sentence, want) {
			t.Error(err)
		}
	}
}

// Two open requests of one person can only be denied by number.
func TestDenySeveral(t *testing.T) {
	p := acme(t)
	p.Requests = []Request{{Number: 5, User: xena, Lane: Customer, State: Open}, {Number: 6, User: xena, Lane: "internal", State: Open}}
	refused(t, p, BadArgument, func() (Change, error) { return p.Deny(Decision{By: mia, User: xena}) })
	if c := must(t, true)(p.Deny(Decision{By: mia, Number: 6})); c.Lane != Internal {
		t.Errorf("%+v", c)
	}
	must(t, true)(p.Deny(Decision{By: mia, User: xena}))
}

func TestRevokeAndExpire(t *testing.T) {
	p := acme(t)
	rules := house{p}
	must(t, false)(p.Revoke(Decision{By: mia, User: xena}))
	refused(t, p, NotFound, func() (Change, error) { return p.Revoke(Decision{By: mia, User: "@eve:a.org"}) })
	must(t, true)(p.Approve(Decision{By: mia, User: xena}, rules, noon))
	must(t, false)(p.Revoke(Decision{By: mia, User: xena, Lane: Internal}))
	c := must(t, true)(p.Revoke(Decision{By: mia, User: xena, Lane: Customer}))
	if len(c.Ended) != 1 || len(p.Grants) != 0 || c.Lane != Customer {
		t.Errorf("%+v", c)
	}
	must(t, false)(p.Revoke(Decision{By: mia, User: xena}))

	if _, ok := p.NextExpiry(); ok {
		t.Error("nothing ends, but at a time")
	}
	until := noon.Add(time.Hour)
	must(t, true)(p.Approve(Decision{By: mia, User: xena, Until: &until}, rules, noon))
	if at, ok := p.NextExpiry(); !ok || !at.Equal(until) {
		t.Error(at, ok)
	}
	if ended := p.Expire(until.Add(-1)); len(ended) != 0 {
		t.Errorf("%+v", ended)
	}
	if ended := p.Expire(until); len(ended) != 1 || ended[0].User != xena || len(p.Grants) != 0 {
		t.Errorf("%+v", ended)
	}
	// A grant that ended but was not yet taken out does not stand in the way.
	must(t, true)(p.Approve(Decision{By: mia, User: xena, Until: &until}, rules, noon))
	must(t, true)(p.Ask(Ask{Number: 8, User: xena}, rules, until))
	c = must(t, true)(p.Approve(Decision{By: mia, Number: 8}, rules, until))
	if len(p.Grants) != 1 || c.Grant.Until != nil {
		t.Errorf("%+v", p.Grants)
	}
}

// LANE-12: who left a lane by themselves is invited again by the same approval once more.
func TestApproveAgain(t *testing.T) {
	p := acme(t)
	if _, err := p.Approve(Decision{By: mia, User: xena}, house{p}, noon); err != nil {
		t.Fatal(err)
	}
	later := noon.Add(time.Hour)
	if c, err := p.Approve(Decision{By: mia, User: xena}, house{p}, later); err != nil || c.Changed {
		t.Errorf("the same again: %+v, %v", c, err)
	}
	c, err := p.Approve(Decision{By: mia, User: xena, Again: true}, house{p}, later)
	if err != nil || !c.Changed || !c.Grant.Since.Equal(later) {
		t.Errorf("the same again after she left: %+v, %v", c, err)
	}
}
