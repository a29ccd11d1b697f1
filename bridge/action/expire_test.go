package action_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/project"
)

func (o *office) expires(id string) {
	o.Helper()
	if err := o.tx(func(ctx context.Context) error { return o.a.Expire(ctx, id) }); err != nil {
		o.Fatal(err)
	}
}

// D5: a project has one timer, for the grant that ends next, whatever the clock does.
func TestOneTimer(t *testing.T) {
	each(t, func(o *office) {
		id := o.project("agency")
		for _, d := range []time.Duration{time.Hour, 2 * time.Hour, 30 * time.Minute, 3 * time.Hour} {
			o.is(o.approve(id, mia, project.Decision{User: xena, For: d}), "", "approve")
		}
		due := o.timers(action.TimerExpire)
		if len(due) != 1 || !due[0].At.Equal(o.now.Add(3*time.Hour)) {
			o.Fatalf("D5 timers %+v", due)
		}
		o.now = o.now.Add(time.Hour) // it came early, and has gone out of the queue
		if _, err := o.s.DB.Exec(t.Context(), "DELETE FROM job WHERE queue='in'"); err != nil {
			o.Fatal(err)
		}
		o.expires(id)
		if due := o.timers(action.TimerExpire); len(due) != 1 || o.access(id, xena, project.Customer) != project.Text {
			o.Fatalf("D5 after an early one: %+v", due)
		}
		o.now = o.now.Add(2 * time.Hour)
		o.expires(id)
		if due := o.timers(action.TimerExpire); len(due) != 0 || o.access(id, xena, project.Customer) != project.None {
			o.Errorf("after the end: %+v", due)
		}
	})
}

// W13: how long a grant holds is counted from the decision by our own clock: neither
// the time that a command lay unread nor a homeserver's clock changes it.
func TestForIsCountedFromTheDecision(t *testing.T) {
	each(t, func(o *office) {
		for _, off := range []time.Duration{-10 * time.Minute, 0, 25 * time.Hour} {
			id := o.project("agency")
			act := o.as(mia)
			act.At = o.now.Add(off)
			o.is(o.tx(func(ctx context.Context) error {
				_, err := o.a.Approve(ctx, act, id, project.Decision{User: xena, For: 30 * time.Second})
				return err
			}), "", "W13 approve")
			g := o.loaded(id).Grant(xena, project.Customer)
			if g == nil || g.Until == nil || !g.Until.Equal(o.now.Add(30*time.Second)) {
				o.Fatalf("W13 a homeserver that is off by %s: %+v", off, g)
			}
		}
	})
}

// U7: nobody has an id in upper case, or a wildcard; whoever registers it later would
// be in.
func TestIDsThatNobodyHas(t *testing.T) {
	each(t, func(o *office) {
		id := o.project("agency")
		for _, user := range []string{"@*:x", "@Cleo:x", "@cleo*:x", "@cleo:X", "@clé:x", "@:x"} {
			err := o.add(id, mia, user, "agency")
			o.is(err, project.BadArgument, "U7 "+user)
			if err != nil && !strings.Contains(err.Error(), "id") && !strings.Contains(err.Error(), "user") {
				o.Errorf("%s: %v", user, err)
			}
			o.is(o.accept(id, mia, user), project.BadArgument, "U7 accept "+user)
		}
	})
}
