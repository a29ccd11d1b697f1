package action_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"
	"pgregory.net/rapid"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store/storetest"
)

var everybody = []string{olga, mia, abe, ann, xena, carl, new1}

// R4, promise 2: whatever people try, nobody gets in, or louder, without a decision
// that is kept: by somebody else, who had the right at that moment.
func TestEveryRiseIsDecided(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		made := 0
		rapid.Check(t, func(rt *rapid.T) {
			o := newOffice(t, db)
			made++
			o.ids = made * 1000 // all projects are in one database
			profile := rapid.SampledFrom([]string{"agency", "managed", "open"}).Draw(rt, "profile")
			m := &model{office: o, id: o.project(profile)}
			somebody := func(what string) string { return rapid.SampledFrom(everybody).Draw(rt, what) }
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				by, user := somebody("by"), somebody("user")
				d := project.Decision{User: user, Lane: rapid.SampledFrom([]project.Kind{"", project.Internal}).Draw(rt, "lane"), Access: rapid.SampledFrom([]project.Access{0, project.Read, project.Full}).Draw(rt, "rung")}
				role := rapid.SampledFrom(o.a.Policy.Catalogue().Roles).Draw(rt, "role")
				if rapid.Bool().Draw(rt, "ends") {
					until := o.now.Add(time.Hour)
					d.Until = &until
				}
				o.now = o.now.Add(time.Duration(rapid.IntRange(1, 50).Draw(rt, "minutes")) * time.Minute)
				kind := rapid.SampledFrom([]string{"add", "add", "accept", "remove", "request", "approve", "approve", "revoke", "deny", "archive", "restore", "expire"}).Draw(rt, "what")
				m.step(rt, fmt.Sprintf("%s by %s, %s as %s", kind, by, user, role), func(ctx context.Context) error {
					act, err := o.as(by), error(nil)
					switch kind {
					case "add":
						_, err = o.a.Add(ctx, act, m.id, user, role)
					case "accept":
						_, err = o.a.Accept(ctx, act, m.id, user)
					case "remove":
						_, err = o.a.Remove(ctx, act, m.id, user)
					case "request":
						_, err = o.a.Request(ctx, act, m.id, project.Ask{Lane: d.Lane, Access: d.Access})
					case "approve":
						_, err = o.a.Approve(ctx, act, m.id, d)
					case "revoke":
						_, err = o.a.Revoke(ctx, act, m.id, d)
					case "deny":
						_, err = o.a.Deny(ctx, act, m.id, d)
					case "archive":
						_, err = o.a.Archive(ctx, act, m.id)
					case "restore":
						_, err = o.a.Restore(ctx, act, m.id)
					case "expire":
						err = o.a.Expire(ctx, m.id)
					}
					return err
				})
			}
		})
	})
}

// model watches what everybody has.
type model struct {
	*office
	id string
}

func (m *model) step(t *rapid.T, what string, do func(context.Context) error) {
	before := m.loaded(m.id)
	kept := m.count(t)
	err := m.tx(do)
	var refused *project.Error
	after := m.loaded(m.id)
	fresh := m.count(t) - kept
	if errors.As(err, &refused) && fresh != 0 {
		t.Fatalf("%s: refused, and %d decisions kept", what, fresh)
	}
	entries := m.newest(t, fresh)
	for _, user := range everybody {
		for _, lane := range m.a.Policy.Lanes(after) {
			was, is := m.a.Policy.Access(before, user, lane, m.now), m.a.Policy.Access(after, user, lane, m.now)
			if is > was && !slices.ContainsFunc(entries, func(e project.Entry) bool { return m.shows(before, e, user, lane) }) {
				t.Fatalf("%s: %s rose from %s to %s in %s, and no decision shows it: %+v", what, user, was, is, lane, entries)
			}
		}
	}
	for _, e := range entries {
		if e.By == "" != (e.Door == string(action.Timer)) || e.At.IsZero() || e.By != "" && e.Event == "" {
			t.Fatalf("%s: half a decision: %+v", what, e)
		}
	}
}

// shows reports whether a decision answers for what somebody got in a lane: made by
// another one, who had the right when they made it.
func (m *model) shows(p *project.Project, e project.Entry, user string, lane project.Kind) bool {
	can := func(a policy.Ability) bool { return m.a.Policy.Can(e.By, a, p) }
	switch {
	case e.What == project.WhatRestore:
		return can(policy.Project)
	case e.User != user || e.By == user || e.By == "":
		return false
	case e.What == project.WhatApprove:
		return e.Lane == lane && can(policy.Approve)
	case e.What == project.WhatAdd && e.Was != "":
		return can(policy.Approve) && can(policy.People)
	case e.What == project.WhatAdd:
		return can(policy.People) || can(policy.Accept)
	case e.What == project.WhatAccept:
		return can(policy.Accept)
	}
	return false
}

func (m *model) count(t *rapid.T) (n int) {
	if err := m.s.DB.QueryRow(m.Context(), "SELECT COUNT(*) FROM decision WHERE project=$1", m.id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (m *model) newest(t *rapid.T, n int) []project.Entry {
	var all []project.Entry
	for _, user := range append([]string{""}, everybody...) {
		for _, lane := range []project.Kind{"", project.Customer, project.Internal, project.Notes} {
			some, err := m.s.Decisions(m.Context(), m.id, user, lane, n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, some...)
		}
	}
	return slices.DeleteFunc(all, func(e project.Entry) bool { return e.At.Before(m.now) })
}
