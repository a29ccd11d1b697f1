package action_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// The people of the tests. Olga is the platform's staff and in no project.
const (
	olga = "@olga:x"
	mia  = "@mia:x"  // manager
	abe  = "@abe:x"  // agency: people and accept, no approve
	ann  = "@ann:x"  // account_manager: people
	xena = "@xena:x" // expert
	carl = "@carl:x" // customer
	new1 = "@new:x"  // in no project yet
)

// office is the actions on a real database.
type office struct {
	testing.TB
	a   *action.Actions
	s   *store.Store
	now time.Time
	ids int
}

// clock is the queue's: it stands where the office's does.
type clock struct{ o *office }

func (c clock) Now() time.Time                       { return c.o.now }
func (c clock) After(time.Duration) <-chan time.Time { return make(chan time.Time) }

func each(t *testing.T, test func(o *office)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) { test(newOffice(t, db)) })
}

func newOffice(t testing.TB, db *dbutil.Database) *office {
	o := &office{TB: t, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	id := func() string { o.ids++; return fmt.Sprint("id", o.ids) }
	o.s = &store.Store{DB: db, Queue: queue.New(db, clock{o}, zerolog.Nop()), Domain: "x", Now: func() time.Time { return o.now }, NewID: id}
	pol := policy.Default()
	pol.Permissions = policy.Permissions{"x": policy.User, olga: policy.Staff}
	o.a = &action.Actions{Store: o.s, Policy: pol, Relay: &relay.Relay{
		Store: o.s, Staff: func() []string { return nil }, May: func(user string) bool { return user == olga },
	}}
	return o
}

func (o *office) tx(fn func(ctx context.Context) error) error {
	o.Helper()
	err := o.s.Tx(o.Context(), fn)
	var refused *project.Error
	if err != nil && !errors.As(err, &refused) {
		o.Fatal(err)
	}
	return err
}

// as is what somebody types now.
func (o *office) as(user string) action.Act {
	o.ids++
	return action.Act{By: user, Door: action.Command, At: o.now, Event: fmt.Sprint("$", o.ids)}
}

// project makes one with everybody in it, and gives its id.
func (o *office) project(profile string) string {
	o.Helper()
	o.ids++
	n := project.New{Slug: fmt.Sprint("p", o.ids), Name: "Acme", Profile: profile, People: []project.Person{
		{User: mia, Role: "manager"}, {User: abe, Role: "agency"}, {User: ann, Role: "account_manager"}, {User: xena, Role: "expert"}, {User: carl, Role: "customer"},
	}}
	var id string
	if err := o.tx(func(ctx context.Context) error {
		done, err := o.a.Create(ctx, o.as(olga), n)
		if err == nil {
			id = done.Project.ID
		}
		return err
	}); err != nil {
		o.Fatal(err)
	}
	return id
}

func (o *office) loaded(id string) *project.Project {
	o.Helper()
	p, err := o.s.Project(o.Context(), id)
	if err != nil {
		o.Fatal(err)
	}
	return p
}

func (o *office) access(id, user string, lane project.Kind) project.Access {
	o.Helper()
	return o.a.Policy.Access(o.loaded(id), user, lane, o.now)
}

func (o *office) add(id, by, user string, role project.Role) error {
	o.Helper()
	return o.tx(func(ctx context.Context) error { _, err := o.a.Add(ctx, o.as(by), id, user, role); return err })
}

func (o *office) accept(id, by, user string) error {
	o.Helper()
	return o.tx(func(ctx context.Context) error { _, err := o.a.Accept(ctx, o.as(by), id, user); return err })
}

func (o *office) remove(id, by, user string) error {
	o.Helper()
	return o.tx(func(ctx context.Context) error { _, err := o.a.Remove(ctx, o.as(by), id, user); return err })
}

func (o *office) approve(id, by string, d project.Decision) error {
	o.Helper()
	return o.tx(func(ctx context.Context) error { _, err := o.a.Approve(ctx, o.as(by), id, d); return err })
}

// is checks how an action ended: "" did it, else the code of the refusal.
func (o *office) is(err error, want project.Code, what string) {
	o.Helper()
	var refused *project.Error
	if errors.As(err, &refused); refused == nil && want != "" || refused != nil && refused.Code != want {
		o.Errorf("%s: %v, want %q", what, err, want)
	}
}

// timers are those that wait, by kind.
func (o *office) timers(kind effect.TimerKind) (due []effect.Timer) {
	o.Helper()
	rows, err := o.s.DB.Query(o.Context(), "SELECT payload FROM job WHERE queue=$1 AND state=1 ORDER BY at", store.QueueIn)
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var in store.Input
		if err := rows.Scan(&raw); err != nil {
			o.Fatal(err)
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			o.Fatal(err)
		}
		if in.Timer != nil && in.Timer.Kind == kind {
			due = append(due, *in.Timer)
		}
	}
	return due
}
