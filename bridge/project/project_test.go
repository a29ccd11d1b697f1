package project_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	. "lanekeeper/bridge/project"
)

const (
	carl = "@carl:example.org"
	mia  = "@mia:example.org"
	xena = "@xena:example.org"
)

var (
	noon      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	catalogue = Catalogue{Roles: []Role{"customer", "expert", "manager"}, Profiles: []string{"agency", "open"}, Default: "agency"}
)

// house is a profile in which an expert can be granted the customer lane.
type house struct{ p *Project }

func (h house) Grantable(role Role, lane Kind) ([]Access, Access, bool) {
	if role != "expert" || lane != Customer {
		return nil, None, false
	}
	return []Access{Read, Text, Full}, Text, true
}

func (h house) Access(user string, lane Kind, now time.Time) Access {
	person := h.p.Person(user)
	switch g := h.p.Grant(user, lane); {
	case person == nil:
		return None
	case g.Holds(now):
		return g.Access
	case person.Role != "expert" || lane == Internal:
		return Full
	}
	return None
}

func acme(t *testing.T) *Project {
	t.Helper()
	p, err := Create("p1", New{Slug: "acme", Name: "Acme", People: []Person{
		{User: carl, Role: "customer"}, {User: mia, Role: "manager"}, {User: xena, Role: "expert"},
	}}, catalogue, noon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func code(err error) Code {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// must fails unless the call did, or did not, change something.
func must(t *testing.T, changed bool) func(Change, error) Change {
	return func(c Change, err error) Change {
		t.Helper()
		if err != nil || c.Changed != changed {
			t.Fatalf("changed %v, %v; want %v", c.Changed, err, changed)
		}
		return c
	}
}

// refused fails unless the call was refused with the code and changed nothing.
func refused(t *testing.T, p *Project, want Code, call func() (Change, error)) {
	t.Helper()
	before := snapshot(t, p)
	_, err := call()
	if code(err) != want {
		t.Fatalf("got %q (%v), want %s", code(err), err, want)
	}
	if after := snapshot(t, p); after != before {
		t.Fatalf("refused, but changed\n%s\nto\n%s", before, after)
	}
	sentence(t, err)
}

// sentence checks what a person reads: whole sentences, no names of strangers.
func sentence(t *testing.T, err error) {
	t.Helper()
	s := err.Error()
	if !strings.HasSuffix(s, ".") || strings.Contains(s, "@carl") || strings.Contains(s, "@xena") || strings.Contains(s, "%!") {
		t.Errorf("sentence %q", s)
	}
}

func snapshot(t *testing.T, p *Project) string {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAccessWords(t *testing.T) {
	for a := None; a <= Ops; a++ {
		back, err := ParseAccess(a.String())
		if err != nil || back != a {
			t.Errorf("%v: %v, %v", a, back, err)
		}
	}
	if _, err := ParseAccess("FULL"); code(err) != BadArgument {
		t.Error(err)
	}
	b, err := json.Marshal(map[Kind]Access{Customer: Text, Internal: None})
	if err != nil || string(b) != `{"customer":"text","internal":"none"}` {
		t.Errorf("%s %v", b, err)
	}
	var g Grant
	if err := json.Unmarshal([]byte(`{"access":"full"}`), &g); err != nil || g.Access != Full {
		t.Errorf("%v %v", g.Access, err)
	}
	if _, err := json.Marshal(Access(9)); err == nil {
		t.Error("an access off the ladder is written")
	}
}

func TestParseFor(t *testing.T) {
	for word, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "30m": 30 * time.Minute, "4h": 4 * time.Hour, "14d": 14 * 24 * time.Hour,
		"2w": 14 * 24 * time.Hour, "3650d": 3650 * 24 * time.Hour,
	} {
		if got, err := ParseFor(word); err != nil || got != want {
			t.Errorf("%s: %v, %v", word, got, err)
		}
	}
	for _, word := range []string{"", "d", "14", "0d", "-4h", "+4h", "1.5h", "4 h", "4H", "3651d", "999999999w", "99999999999999999999s", "4hh", "²d", "１d"} {
		if got, err := ParseFor(word); code(err) != BadArgument || got != 0 {
			t.Errorf("%q: %v, %v", word, got, err)
		}
	}
}

func TestCreate(t *testing.T) {
	p := acme(t)
	if p.Profile != "agency" || p.Status != Active || len(p.People) != 3 || p.Person(mia).Role != "manager" || !p.Created.Equal(noon) {
		t.Errorf("%+v", p)
	}
	long := strings.Repeat("n", MaxName)
	for name, n := range map[string]New{
		"no slug":        {Name: "A"},
		"capitals":       {Slug: "Acme", Name: "A"},
		"long slug":      {Slug: strings.Repeat("a", 33), Name: "A"},
		"dash first":     {Slug: "-a", Name: "A"},
		"dash last":      {Slug: "a-", Name: "A"},
		"line":           {Slug: "a\n", Name: "A"},
		"no name":        {Slug: "a", Name: "  "},
		"long name":      {Slug: "a", Name: long + "n"},
		"many bytes":     {Slug: "a", Name: strings.Repeat("😀", 61)},
		"two lines":      {Slug: "a", Name: "A\nB"},
		"turned around":  {Slug: "a", Name: "A\u202eB"},
		"bad bytes":      {Slug: "a", Name: "A\xff"},
		"profile":        {Slug: "a", Name: "A", Profile: "nosuch"},
		"tier":           {Slug: "a", Name: "A", Tier: "very good"},
		"role":           {Slug: "a", Name: "A", People: []Person{{User: carl, Role: "king"}}},
		"user":           {Slug: "a", Name: "A", People: []Person{{User: "carl", Role: "customer"}}},
		"no server":      {Slug: "a", Name: "A", People: []Person{{User: "@joe", Role: "customer"}}},
		"two roles":      {Slug: "a", Name: "A", People: []Person{{User: carl, Role: "customer"}, {User: carl, Role: "expert"}}},
		"very long user": {Slug: "a", Name: "A", People: []Person{{User: "@" + strings.Repeat("c", 250) + ":a.org", Role: "customer"}}},
	} {
		if _, err := Create("p", n, catalogue, noon); code(err) != BadArgument {
			t.Errorf("%s: %v", name, err)
		} else {
			sentence(t, err)
		}
	}
	for _, slug := range []string{"a", "7", "a-b", strings.Repeat("a", 32)} {
		p, err := Create("p", New{Slug: slug, Name: " " + long + " ", Profile: "open", Tier: "enterprise", People: []Person{{User: carl, Role: "customer"}, {User: carl, Role: "customer"}}}, catalogue, noon)
		if err != nil || p.Name != long || len(p.People) != 1 {
			t.Errorf("%s: %+v, %v", slug, p, err)
		}
	}
}

// LANE-01: a slug is made once; the same words again change nothing.
func TestRepeatedCreation(t *testing.T) {
	people := []Person{{User: carl, Role: "customer"}, {User: mia, Role: "manager"}, {User: xena, Role: "expert"}}
	n := New{Slug: "acme", Name: "Acme", People: people}
	for name, c := range map[string]struct {
		later func(p *Project)
		again func(n *New)
		want  Code
	}{
		"same":                 {},
		"profile by name":      {again: func(n *New) { n.Profile = "agency" }},
		"space around":         {again: func(n *New) { n.Name = " Acme" }},
		"another name":         {again: func(n *New) { n.Name = "Other" }, want: Conflict},
		"another profile":      {again: func(n *New) { n.Profile = "open" }, want: Conflict},
		"another tier":         {again: func(n *New) { n.Tier = "enterprise" }, want: Conflict},
		"another role":         {again: func(n *New) { n.People = []Person{people[0], people[1], {User: xena, Role: "manager"}} }, want: Conflict},
		"somebody less":        {again: func(n *New) { n.People = people[:2] }, want: Conflict},
		"somebody more":        {again: func(n *New) { n.People = append(slices.Clone(people), Person{User: "@eve:a.org", Role: "expert"}) }, want: Conflict},
		"somebody came later":  {later: func(p *Project) { _, _ = p.Add("@eve:a.org", "expert", catalogue.Roles, false, noon.Add(time.Hour)) }},
		"somebody was removed": {later: func(p *Project) { _, _ = p.Remove(xena) }, want: Conflict},
		"somebody came again":  {later: func(p *Project) { _, _ = p.Add(xena, "expert", catalogue.Roles, true, noon.Add(time.Hour)) }},
	} {
		p, again := acme(t), n
		if c.later != nil {
			c.later(p)
		}
		if c.again != nil {
			c.again(&again)
		}
		if err := p.Repeat(again, catalogue); code(err) != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestArchive(t *testing.T) {
	p := acme(t)
	if p.Restore() || !p.Archive() || p.Archive() || p.Status != Archived {
		t.Errorf("%s", p.Status)
	}
	refused(t, p, Conflict, func() (Change, error) { return p.Ask(Ask{User: xena}, house{p}, noon) })
	refused(t, p, Conflict, func() (Change, error) { return p.Approve(Decision{By: mia, User: xena}, house{p}, noon) })
	if !p.Restore() || p.Status != Active {
		t.Errorf("%s", p.Status)
	}
}
