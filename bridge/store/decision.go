package store

import (
	"context"
	"database/sql"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/project"
)

const decisionColumns = "at, actor, door, what, user_id, lane, was, became, until, reason, event_id"

// Keep writes decisions on a project. They are kept for good.
func (s *Store) Keep(ctx context.Context, project string, entries ...project.Entry) error {
	for _, e := range entries {
		var until *int64
		if e.Until != nil {
			ms := e.Until.UnixMilli()
			until = &ms
		}
		if _, err := s.exec(ctx, "INSERT INTO decision (project, "+decisionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			project, millis(e.At), e.By, e.Door, e.What, e.User, e.Lane, e.Was, e.Became, until, e.Reason, e.Event); err != nil {
			return wrap("decision", err)
		}
	}
	return nil
}

// Decisions gives the newest n decisions on a person of a project about one lane,
// newest first; with lane "" those about their role, and with user "" those about
// the project.
func (s *Store) Decisions(ctx context.Context, id, user string, lane project.Kind, n int) ([]project.Entry, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+decisionColumns+" FROM decision WHERE project=$1 AND user_id=$2 AND lane=$3 ORDER BY id DESC LIMIT $4", id, user, lane, n)
	out, err := all(rows, err, scanDecision)
	return out, wrap("decisions", err)
}

// LastRole is the role that somebody has in a project or had when they were removed;
// "" if they were never in.
func (s *Store) LastRole(ctx context.Context, id, user string) (project.Role, error) {
	last, err := s.Decisions(ctx, id, user, "", 1)
	switch {
	case err != nil || len(last) == 0:
		return "", err
	case last[0].Became == "":
		return project.Role(last[0].Was), nil
	}
	return project.Role(last[0].Became), nil
}

func scanDecision(row dbutil.Scannable) (e project.Entry, err error) {
	var at int64
	var until sql.NullInt64
	err = row.Scan(&at, &e.By, &e.Door, &e.What, &e.User, &e.Lane, &e.Was, &e.Became, &until, &e.Reason, &e.Event)
	e.At = fromMillis(at)
	if until.Valid {
		t := fromMillis(until.Int64)
		e.Until = &t
	}
	return e, err
}
