package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"strings"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/project"
)

const projectColumns = "id, slug, name, profile, tier, status, creator, created, revision, keeper"

// Project loads a project by its id; nil if there is none.
func (s *Store) Project(ctx context.Context, id string) (*project.Project, error) {
	return s.projectWhere(ctx, "id=$1", id)
}

// ProjectBySlug loads a project by its slug; nil if there is none.
func (s *Store) ProjectBySlug(ctx context.Context, slug string) (*project.Project, error) {
	return s.projectWhere(ctx, "slug=$1", slug)
}

func (s *Store) projectWhere(ctx context.Context, where string, arg any) (*project.Project, error) {
	p, err := none(scanProject(s.DB.QueryRow(ctx, "SELECT "+projectColumns+" FROM project WHERE "+where, arg)))
	if p == nil || err != nil {
		return nil, wrap("project", err)
	}
	return p, s.fill(ctx, p)
}

// Projects gives at most n projects with slugs above after, by slug, without
// people, grants and requests.
func (s *Store) Projects(ctx context.Context, after string, n int) ([]*project.Project, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+projectColumns+" FROM project WHERE slug>$1 ORDER BY slug LIMIT $2", after, n)
	ps, err := all(rows, err, scanProject)
	return ps, wrap("projects", err)
}

// ProjectsOf is Projects for those that a person is in.
func (s *Store) ProjectsOf(ctx context.Context, user, after string, n int) ([]*project.Project, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+projectColumns+" FROM project WHERE slug IN "+
		"(SELECT slug FROM person WHERE user_id=$1 AND slug>$2 ORDER BY slug LIMIT $3) ORDER BY slug", user, after, n)
	ps, err := all(rows, err, scanProject)
	return ps, wrap("projects of a person", err)
}

// Role is what somebody is in a project; "" if they are not in it.
func (s *Store) Role(ctx context.Context, id, user string) (role project.Role, err error) {
	err = s.DB.QueryRow(ctx, "SELECT role FROM person WHERE project=$1 AND user_id=$2", id, user).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return role, wrap("person", err)
}

// KeeperOf is the user of ours that keeps a project's rooms, and speaks there; of no
// project the one that keeps new ones.
func (s *Store) KeeperOf(ctx context.Context, id string) (keeper string, err error) {
	if id == "" {
		return s.Keeper, nil
	}
	err = s.DB.QueryRow(ctx, "SELECT keeper FROM project WHERE id=$1", id).Scan(&keeper)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return cmp.Or(keeper, s.Keeper), wrap("keeper", err)
}

// HasRole reports whether somebody has one of some roles in any project.
func (s *Store) HasRole(ctx context.Context, user string, roles []project.Role) (has bool, err error) {
	if len(roles) == 0 {
		return false, nil
	}
	args, marks := []any{user}, make([]string, len(roles))
	for i, role := range roles {
		args, marks[i] = append(args, role), placeholder(i+2)
	}
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM person WHERE user_id=$1 AND role IN ("+strings.Join(marks, ",")+"))", args...).Scan(&has)
	return has, wrap("person", err)
}

// ProjectIDs gives the ids of at most n projects that are above one, in order.
func (s *Store) ProjectIDs(ctx context.Context, after string, n int) ([]string, error) {
	rows, err := s.DB.Query(ctx, "SELECT id FROM project WHERE id>$1 ORDER BY id LIMIT $2", after, n)
	ids, err := all(rows, err, func(row dbutil.Scannable) (id string, err error) { return id, row.Scan(&id) })
	return ids, wrap("projects", err)
}

// InAnyProject reports whether somebody is a person of any project.
func (s *Store) InAnyProject(ctx context.Context, user string) (in bool, err error) {
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM person WHERE user_id=$1)", user).Scan(&in)
	return in, wrap("person", err)
}

func scanProject(row dbutil.Scannable) (*project.Project, error) {
	var p project.Project
	var created int64
	err := row.Scan(&p.ID, &p.Slug, &p.Name, &p.Profile, &p.Tier, &p.Status, &p.Creator, &created, &p.Revision, &p.Keeper)
	p.Created = fromMillis(created)
	return &p, err
}

func (s *Store) fill(ctx context.Context, p *project.Project) error {
	rows, err := s.DB.Query(ctx, "SELECT user_id, role, since FROM person WHERE project=$1 ORDER BY since, user_id", p.ID)
	if p.People, err = all(rows, err, func(r dbutil.Scannable) (v project.Person, err error) {
		var since int64
		err = r.Scan(&v.User, &v.Role, &since)
		v.Since = fromMillis(since)
		return
	}); err != nil {
		return wrap("people", err)
	}
	rows, err = s.DB.Query(ctx, "SELECT user_id, lane, access, approver, reason, since, until FROM lane_grant WHERE project=$1 ORDER BY user_id, lane", p.ID)
	if p.Grants, err = all(rows, err, func(r dbutil.Scannable) (v project.Grant, err error) {
		var since int64
		var until sql.NullInt64
		err = r.Scan(&v.User, &v.Lane, &v.Access, &v.Approver, &v.Reason, &since, &until)
		v.Since = fromMillis(since)
		if until.Valid {
			t := fromMillis(until.Int64)
			v.Until = &t
		}
		return
	}); err != nil {
		return wrap("grants", err)
	}
	rows, err = s.DB.Query(ctx, "SELECT "+requestColumns+" FROM request WHERE project=$1 AND state='open' ORDER BY number", p.ID)
	if p.Requests, err = all(rows, err, scanRequest); err != nil {
		return wrap("requests", err)
	}
	rows, err = s.DB.Query(ctx, "SELECT user_id, name, lane FROM guest WHERE project=$1 ORDER BY user_id, lane", p.ID)
	p.Guests, err = all(rows, err, func(r dbutil.Scannable) (v project.Guest, err error) {
		err = r.Scan(&v.User, &v.Name, &v.Lane)
		return
	})
	return wrap("guests", err)
}

const requestColumns = "number, project, user_id, lane, access, reason, state, decided_by, because, asked"

// Request loads a request by its number, decided or not; nil if there is none.
func (s *Store) Request(ctx context.Context, number int64) (*project.Request, error) {
	r, err := scanRequest(s.DB.QueryRow(ctx, "SELECT "+requestColumns+" FROM request WHERE number=$1", number))
	q, err := none(&r, err)
	return q, wrap("request", err)
}

func scanRequest(r dbutil.Scannable) (v project.Request, err error) {
	var asked int64
	err = r.Scan(&v.Number, &v.Project, &v.User, &v.Lane, &v.Access, &v.Reason, &v.State, &v.DecidedBy, &v.Because, &asked)
	v.Asked = fromMillis(asked)
	return
}

// SaveRequest writes one request, new or changed.
func (s *Store) SaveRequest(ctx context.Context, v project.Request) error {
	_, err := s.exec(ctx, "INSERT INTO request ("+requestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (number) DO UPDATE SET access=excluded.access, state=excluded.state, decided_by=excluded.decided_by, because=excluded.because`,
		v.Number, v.Project, v.User, v.Lane, v.Access, v.Reason, v.State, v.DecidedBy, v.Because, millis(v.Asked))
	return wrap("request", err)
}

// AdoptProjects makes the keeper of new projects that of projects that name none:
// those of versions before there were keepers.
func (s *Store) AdoptProjects(ctx context.Context) error {
	_, err := s.exec(ctx, "UPDATE project SET keeper=$1 WHERE keeper=''", s.Keeper)
	return wrap("keepers", err)
}

// SaveProject writes a project whole, with the requests it holds, and counts its
// revision up.
func (s *Store) SaveProject(ctx context.Context, p *project.Project) error {
	p.Revision++
	p.Keeper = cmp.Or(p.Keeper, s.Keeper)
	_, err := s.exec(ctx, "INSERT INTO project ("+projectColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET slug=excluded.slug, name=excluded.name, profile=excluded.profile, tier=excluded.tier,
		status=excluded.status, revision=excluded.revision`,
		p.ID, p.Slug, p.Name, p.Profile, p.Tier, p.Status, p.Creator, millis(p.Created), p.Revision, p.Keeper)
	if err != nil {
		return wrap("project", err)
	}
	for _, table := range []string{"person", "lane_grant", "guest"} {
		if _, err := s.exec(ctx, "DELETE FROM "+table+" WHERE project=$1", p.ID); err != nil {
			return wrap(table, err)
		}
	}
	for _, v := range p.People {
		if _, err := s.exec(ctx, "INSERT INTO person (project, user_id, role, since, slug) VALUES ($1, $2, $3, $4, $5)", p.ID, v.User, v.Role, millis(v.Since), p.Slug); err != nil {
			return wrap("person", err)
		}
	}
	for _, v := range p.Grants {
		var until *int64
		if v.Until != nil {
			ms := v.Until.UnixMilli()
			until = &ms
		}
		if _, err := s.exec(ctx, "INSERT INTO lane_grant (project, user_id, lane, access, approver, reason, since, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			p.ID, v.User, v.Lane, v.Access, v.Approver, v.Reason, millis(v.Since), until); err != nil {
			return wrap("grant", err)
		}
	}
	for _, v := range p.Guests {
		if _, err := s.exec(ctx, "INSERT INTO guest (project, lane, user_id, name) VALUES ($1, $2, $3, $4)", p.ID, v.Lane, v.User, v.Name); err != nil {
			return wrap("guest", err)
		}
	}
	for _, v := range p.Requests {
		if err := s.SaveRequest(ctx, v); err != nil {
			return err
		}
	}
	return nil
}
