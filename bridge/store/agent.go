package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// States of an agent who was changed at run time.
const (
	AgentAnswers = ""
	AgentPaused  = "paused"
	AgentRemoved = "removed"
)

// Agent is what was changed at run time about an agent.
type Agent struct {
	Phone string // E.164, with +
	Name  string
	User  string // MXID, "" if not on Matrix
	Added bool   // an agent by this alone; else only while the configuration has them
	State string
	Until time.Time // of a pause; zero: until somebody ends it
	By    string    // who changed it last
	At    time.Time
}

const agentColumns = "phone, name, mxid, added, state, until, who, at"

// Agents gives all agents that were changed at run time.
func (s *Store) Agents(ctx context.Context) ([]*Agent, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+agentColumns+" FROM agent ORDER BY phone")
	out, err := all(rows, err, func(row dbutil.Scannable) (*Agent, error) {
		var a Agent
		var until, at int64
		err := row.Scan(&a.Phone, &a.Name, &a.User, &a.Added, &a.State, &until, &a.By, &at)
		a.Until, a.At = fromMillis(until), fromMillis(at)
		return &a, err
	})
	return out, wrap("agents", err)
}

// SaveAgent writes an agent who was changed.
func (s *Store) SaveAgent(ctx context.Context, a *Agent) error {
	_, err := s.exec(ctx, "INSERT INTO agent ("+agentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (phone) DO UPDATE SET name=excluded.name, mxid=excluded.mxid, added=excluded.added, state=excluded.state, until=excluded.until, who=excluded.who, at=excluded.at`,
		a.Phone, a.Name, a.User, a.Added, a.State, millis(a.Until), a.By, millis(a.At))
	return wrap("agent", err)
}
