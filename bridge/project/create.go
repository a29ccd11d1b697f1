package project

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what people may type.
const (
	MaxName      = 100 // characters of a project's name
	maxNameBytes = 240 // m.room.name may hold 255 bytes, the lane's word included
	MaxReason    = 500 // characters of a reason: it is shown on cards
	maxUserBytes = 255 // https://spec.matrix.org/v1.15/appendices/#user-identifiers
)

var (
	slugShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)
	tierShape = regexp.MustCompile(`^[a-z0-9_-]{0,32}$`)
	userShape = regexp.MustCompile(`^@[^:\s]+:[^\s/]+$`)
	newShape  = regexp.MustCompile(`^@[a-z0-9._=/+-]+:[^A-Z*]+$`) // https://spec.matrix.org/v1.15/appendices/#user-identifiers
)

// New is what somebody asks to create.
type New struct {
	Slug, Name string
	Profile    string // empty: the catalogue's default
	Tier       string
	Creator    string   // MXID; becomes no person of the project by that
	People     []Person // User and Role are read
}

// Create makes a project. The id is opaque and unique; Revision is 0 until it is
// saved. Times are kept in milliseconds, as Matrix has them.
func Create(id string, n New, c Catalogue, now time.Time) (*Project, error) {
	if n.Profile == "" {
		n.Profile = c.Default
	}
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case !slugShape.MatchString(n.Slug):
		return nil, Refuse(BadArgument, "%q can't be a short name. Use 1 to 32 of a-z, 0-9 and -, with - only in the middle: `project create acme \"Acme website\"`.", clip(n.Slug))
	case !slices.Contains(c.Profiles, n.Profile):
		return nil, Refuse(BadArgument, "There's no profile %q. Use one of %s.", clip(n.Profile), strings.Join(c.Profiles, ", "))
	case !tierShape.MatchString(n.Tier):
		return nil, Refuse(BadArgument, "%q can't be a tier. Use up to 32 of a-z, 0-9, _ and -.", clip(n.Tier))
	}
	if err := checkName(n.Name); err != nil {
		return nil, err
	}
	now = moment(now)
	p := &Project{
		ID: id, Slug: n.Slug, Name: n.Name, Profile: n.Profile, Tier: n.Tier,
		Status: Active, Creator: n.Creator, Created: now,
	}
	for _, person := range n.People {
		if was := p.Person(person.User); was != nil && was.Role != person.Role {
			return nil, Refuse(BadArgument, "Somebody is named as %s and as %s, but a person has one role per project.", was.Role, person.Role)
		}
		if _, err := p.Add(person.User, person.Role, c.Roles, false, now); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Repeat answers a second creation of the same slug: nil if it asks for what was
// made then, else a conflict. Who came, changed or left later is no argument of
// the creation, so only the founders are compared: those who are in since it.
func (p *Project) Repeat(n New, c Catalogue) error {
	if n.Profile == "" {
		n.Profile = c.Default
	}
	same := strings.TrimSpace(n.Name) == p.Name && n.Profile == p.Profile && n.Tier == p.Tier
	for _, person := range n.People {
		is := p.Person(person.User)
		same = same && is != nil && is.Role == person.Role
	}
	for _, person := range p.People {
		if person.Since.Equal(p.Created) {
			same = same && slices.ContainsFunc(n.People, func(o Person) bool { return o.User == person.User })
		}
	}
	if !same {
		return Refuse(Conflict, "There's already another project called %s. Choose another short name, or see `project show %s`.", p.Slug, p.Slug)
	}
	return nil
}

// Archive makes the lanes read-only for all but staff. It reports whether that
// changed anything.
func (p *Project) Archive() bool { return p.become(Archived) }

// Restore undoes Archive.
func (p *Project) Restore() bool { return p.become(Active) }

func (p *Project) become(status string) bool {
	changed := p.Status != status
	p.Status = status
	return changed
}

func checkName(name string) error {
	if name == "" {
		return Refuse(BadArgument, "Give the project a short name and a name: `project create acme \"Acme website\"`.")
	}
	if utf8.RuneCountInString(name) > MaxName || len(name) > maxNameBytes {
		return Refuse(BadArgument, "That name is too long. Use at most %d characters.", MaxName)
	}
	// Control and direction characters could make a room look like another one.
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) || !utf8.ValidString(name) {
		return Refuse(BadArgument, "A name is one line of plain text. Please leave out line breaks and control characters.")
	}
	return nil
}

// checkNew is checkUser for somebody who comes in. Homeservers give ids in lower case
// alone: another one is nobody's today, and might be anybody's tomorrow.
func checkNew(user string) error {
	if err := checkUser(user); err != nil {
		return err
	}
	if !newShape.MatchString(user) {
		return Refuse(BadArgument, "Nobody can have the id %s: ids are in lower case, without *. Write it like @name:example.org, or mention the person.", clip(user))
	}
	return nil
}

func checkUser(user string) error {
	if len(user) > maxUserBytes || !userShape.MatchString(user) {
		return Refuse(BadArgument, "%q isn't a Matrix id. Write it like @name:example.org, or mention the person.", clip(user))
	}
	return nil
}

func checkReason(reason string) error {
	if utf8.RuneCountInString(reason) > MaxReason {
		return Refuse(BadArgument, "That reason is too long. Use at most %d characters.", MaxReason)
	}
	return nil
}

// clip keeps a repeated mistake from filling the screen.
func clip(s string) string {
	if utf8.RuneCountInString(s) > 60 {
		return string([]rune(s)[:60]) + "…"
	}
	return s
}

func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
