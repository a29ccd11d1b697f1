package reconcile

import (
	"context"
	"fmt"
	"testing"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
)

// counted counts what costs a homeserver with many rooms much.
type counted struct {
	*sim
	lists int
	read  map[string]int
}

func (c *counted) JoinedRooms(ctx context.Context) ([]string, error) {
	c.lists++
	return c.sim.JoinedRooms(ctx)
}

func (c *counted) State(ctx context.Context, room string) ([]*matrix.Event, error) {
	c.read[room]++
	return c.sim.State(ctx, room)
}

// M6: an outage that cuts many creations off costs one listing of all rooms, and one
// look at each that is not ours.
func TestManyCreationsCutOff(t *testing.T) {
	const many = 12
	b := newBench(t, "12")
	foreign := b.hs.made(matrix.CreateRoom{Version: "12", CreationContent: map[string]any{"creator": "@eve:lanes.test"}, Levels: map[string]any{"users": map[string]any{simBot: 50}}}, 99)
	for i := range many {
		b.save(&project.Project{ID: fmt.Sprint("p", i), Slug: fmt.Sprint("slug", i), Name: "Acme", Profile: "open", Status: project.Active, Created: b.hs.now})
	}
	b.hs.cut = func() (int, bool, bool) { return 6, false, true }
	for i := range many {
		if result := b.try(fmt.Sprint("p", i)); result.Retry == 0 {
			t.Fatal("not tried again")
		}
	}
	b.hs.cut = nil
	b.restart()
	c := &counted{sim: b.hs, read: map[string]int{}}
	b.r.HS = c
	for i := range many {
		b.look(fmt.Sprint("p", i))
	}
	if n := len(b.hs.order); n != many+1 {
		t.Errorf("%d rooms", n)
	}
	if c.lists != 1 || c.read[foreign] != 1 {
		t.Errorf("M6: all rooms are listed %d times, and one that is not ours is read %d times", c.lists, c.read[foreign])
	}
}

// Each project's rooms are made, recognised and kept by the user of ours that its record
// names, and by nobody else of ours.
func TestKeeperOfAProject(t *testing.T) {
	const keeper = "@lanekeeper_keeper2:lanes.test"
	b := newBench(t, "10")
	p := b.acme()
	p.Keeper = keeper
	row, err := b.r.Store.PrepareRoom(t.Context(), "customer", "p1", "")
	if err != nil {
		t.Fatal(err)
	}
	room := b.hs.made(matrix.CreateRoom{Version: "10", CreationContent: map[string]any{keyOfCreation: row.Alias}, Levels: map[string]any{"users": map[string]any{simBot: 100}}}, 99)
	made := birth{keeper, row.Alias}
	if is, err := b.r.recognise(t.Context(), room, made, false); is || err != nil {
		t.Errorf("a room that the bot made: %v %v", is, err)
	}
	b.hs.set(b.hs.rooms[room], keeper, typeCreate, "", map[string]any{keyOfCreation: row.Alias, "room_version": "10"})
	if is, err := b.r.recognise(t.Context(), room, made, false); !is || err != nil {
		t.Errorf("a room that the keeper made: %v %v", is, err)
	}

	d := DesiredRoom(b.r.Policy, p, project.Customer, nil, simDomain, b.hs.now)
	users := object(d.Levels("10", nil)["users"])
	if n, _ := integer(users[keeper]); n != 100 || len(users) != 1 {
		t.Errorf("levels %v", users)
	}
	b.hs.member(b.hs.rooms[room], keeper, keeper, "leave")
	for _, step := range Diff(d, b.hs.actual(room), false, b.r.keeper(p)) {
		if step.Op != OpJoin || step.User != keeper {
			t.Errorf("step %+v", step)
		}
	}
	step := Step{Op: OpJoin, User: keeper, ID: room}
	b.hs.member(b.hs.rooms[room], simBot, keeper, "invite")
	if err := b.r.take(t.Context(), &subject{project: p}, step); err != nil || b.hs.actual(room).member(keeper).is != "join" {
		t.Errorf("the keeper does not come back: %v", err)
	}
}
