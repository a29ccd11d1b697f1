package handle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/command"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handle"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

const (
	bot  = "@lanekeeper:x"
	carl = "@carl:x"
	mia  = "@mia:x"
	xena = "@xena:x"
)

// desk is a handler on a real database, in which a project and its customer lane stand.
type desk struct {
	t     *testing.T
	s     *store.Store
	h     *handle.Handler
	now   time.Time
	count int
}

func each(t *testing.T, test func(d *desk)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) { test(newDesk(t, db)) })
}

func newDesk(t *testing.T, db *dbutil.Database) *desk {
	d := &desk{t: t, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	ids := 0
	d.s = &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Domain: "x", Keeper: bot, Now: func() time.Time { return d.now },
		NewID: func() string { ids++; return fmt.Sprint("id", ids) }}
	pol := policy.Default()
	ours := func(user string) bool { return strings.HasPrefix(user, "@lanekeeper") }
	pol.Permissions, pol.Bot, pol.Ours = policy.Permissions{carl: policy.User}, bot, ours
	r := &relay.Relay{
		Store: d.s, Prefix: "!lane", Reveal: "name", Consent: "announce",
		Ghost: func(opaque string) string { return "@lanekeeper_agent_" + opaque + ":x" },
		May:   func(user string) bool { return pol.Can(user, policy.Handoff, nil) },
		Access: func(p *project.Project, user string, lane project.Kind) project.Access {
			return pol.Access(p, user, lane, d.now)
		},
		Staff: func() []string { return nil },
	}
	actions := &action.Actions{Store: d.s, Policy: pol, Relay: r}
	d.h = &handle.Handler{
		Actions: actions,
		Store:   d.s, Relay: r, Policy: pol, Bot: bot, Ours: ours, Encrypts: func() bool { return false }, Dirty: func(*matrix.Event) bool { return false }, Log: zerolog.Nop(), DirectChats: 3,
		Commands: &command.Commands{Store: d.s, Policy: pol, Actions: actions, Relay: r, Prefix: "!lane"},
	}
	p := &project.Project{ID: "p1", Slug: "acme", Name: "Acme", Profile: "agency", Status: project.Active, Created: d.now, People: []project.Person{
		{User: mia, Role: "manager", Since: d.now}, {User: xena, Role: "expert", Since: d.now},
	}}
	d.tx(func(ctx context.Context) error {
		if err := d.s.SaveProject(ctx, p); err != nil {
			return err
		}
		room, err := d.s.PrepareRoom(ctx, "customer", "p1", "")
		if err != nil {
			return err
		}
		return d.s.MadeRoom(ctx, room.Alias, "!customer", "12")
	})
	d.state("!customer", bot, "m.room.power_levels", "", map[string]any{"users": map[string]any{mia: 50, xena: 10}, "redact": 50})
	return d
}

func (d *desk) tx(fn func(context.Context) error) {
	d.t.Helper()
	if err := d.s.Tx(d.t.Context(), fn); err != nil {
		d.t.Fatal(err)
	}
}

// event comes in; key nil: no state event.
func (d *desk) event(room, sender, typ string, key *string, content map[string]any, old bool) string {
	d.t.Helper()
	d.count++
	id := fmt.Sprint("$", d.count)
	e := map[string]any{"event_id": id, "type": typ, "sender": sender, "origin_server_ts": d.now.UnixMilli(), "content": content}
	if key != nil {
		e["state_key"] = *key
	}
	raw, _ := json.Marshal(e)
	payload, _ := json.Marshal(store.Input{Kind: store.InputEvent, Room: room, Raw: raw, Old: old})
	r := d.h.Do(d.t.Context(), queue.Job{Payload: payload})
	if r.Park != "" || r.Err != nil {
		d.t.Fatal(r.Park, r.Err)
	}
	d.tx(r.Commit)
	return id
}

func (d *desk) state(room, sender, typ, key string, content map[string]any) string {
	d.t.Helper()
	return d.event(room, sender, typ, &key, content, false)
}

func (d *desk) says(room, sender, body string) string {
	d.t.Helper()
	return d.event(room, sender, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": body}, false)
}

func (d *desk) member(room, user, is string) {
	d.t.Helper()
	d.state(room, user, "m.room.member", user, map[string]any{"membership": is})
}

// effects takes everything that is to happen.
func (d *desk) effects() (all []effect.Effect) {
	d.t.Helper()
	d.tx(func(ctx context.Context) error {
		all = nil
		rows, err := d.s.DB.Query(ctx, "DELETE FROM job RETURNING id, payload")
		if err != nil {
			return err
		}
		defer rows.Close()
		byID := map[int64]effect.Effect{}
		for rows.Next() {
			var id int64
			var raw []byte
			if err := rows.Scan(&id, &raw); err != nil {
				return err
			}
			var e effect.Effect
			if err := json.Unmarshal(raw, &e); err != nil {
				return err
			}
			byID[id] = e
		}
		for len(byID) > 0 {
			first := int64(-1)
			for id := range byID {
				if first < 0 || id < first {
					first = id
				}
			}
			all = append(all, byID[first])
			delete(byID, first)
		}
		return rows.Err()
	})
	return all
}

func bodies(effects []effect.Effect) (out []string) {
	for _, e := range effects {
		if e.Message != nil {
			body, _ := e.Message.Content["body"].(string)
			out = append(out, body)
		}
	}
	return out
}

func (d *desk) directs(user string) string {
	d.t.Helper()
	r, err := d.s.DirectRoom(d.t.Context(), user)
	if err != nil {
		d.t.Fatal(err)
	}
	if r == nil {
		return ""
	}
	return r.ID
}

// opened is a direct chat that Carl made.
func (d *desk) opened(room string) { d.openedBy(room, carl) }

func (d *desk) openedBy(room, user string) {
	d.t.Helper()
	d.state(room, user, "m.room.create", "", map[string]any{"room_version": "12"})
	d.state(room, user, "m.room.join_rules", "", map[string]any{"join_rule": "invite"})
	d.member(room, user, "join")
	d.member(room, bot, "join")
}

// In an encrypted direct chat the bot says once that it cannot read, and opens
// another. Where the homeserver encrypts what the bot makes there is no end to
// that: there it opens none, and the operators hear of it.
func TestEncryptedDirectChat(t *testing.T) {
	each(t, func(d *desk) {
		d.opened("!dm")
		if d.directs(carl) != "!dm" {
			t.Fatalf("direct chat %q", d.directs(carl))
		}
		encryption := map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}
		d.state("!dm", carl, "m.room.encryption", "", encryption)
		d.state("!dm", carl, "m.room.encryption", "", encryption)
		if said := d.effects(); len(said) != 2 || said[0].Message.To.Room != "!dm" || said[1].Message.To.Person != carl || d.directs(carl) != "" {
			t.Fatalf("said %q", bodies(said))
		}
		d.tx(func(ctx context.Context) error { return d.s.AdoptDirect(ctx, carl, "!ours", "12") })
		d.state("!ours", bot, "m.room.create", "", map[string]any{"room_version": "12"})
		d.member("!ours", bot, "join")
		d.member("!ours", carl, "join")
		d.state("!ours", bot, "m.room.encryption", "", encryption)
		d.event("!ours", carl, "m.room.encrypted", nil, map[string]any{}, false)
		said := d.effects()
		if len(said) != 2 || said[0].Message.To.Room != "!ours" || !said[1].Message.To.SuperAdmin || d.directs(carl) != "!ours" {
			t.Errorf("said %q; the direct chat is %q", bodies(said), d.directs(carl))
		}
	})
}

// A room with three is nobody's direct chat, also while nobody else has come in.
func TestGroupIsNoDirectChat(t *testing.T) {
	each(t, func(d *desk) {
		raw, _ := json.Marshal([]any{map[string]any{"type": "m.room.member", "state_key": bot, "sender": carl, "content": map[string]any{"membership": "invite", "is_direct": true}}})
		payload, _ := json.Marshal(store.Input{Kind: store.InputInvite, Room: "!group", Raw: raw})
		d.tx(d.h.Do(t.Context(), queue.Job{Payload: payload}).Commit)
		if said := d.effects(); len(said) != 1 || said[0].Join == nil {
			t.Fatalf("effects %+v", said)
		}
		d.state("!group", carl, "m.room.create", "", map[string]any{})
		d.member("!group", carl, "join")
		d.member("!group", "@eve:x", "invite")
		d.member("!group", bot, "join")
		if d.directs(carl) != "" {
			t.Error("a group is a direct chat")
		}
	})
}

// The bot does not talk to people whom it does not know any more.
func TestForgottenPerson(t *testing.T) {
	each(t, func(d *desk) {
		d.opened("!dm")
		d.says("!dm", carl, "ping")
		if said := bodies(d.effects()); len(said) != 1 {
			t.Errorf("said %q", said)
		}
		d.h.Policy.Permissions = policy.Permissions{}
		d.says("!dm", carl, "human help")
		if said := bodies(d.effects()); len(said) != 0 {
			t.Errorf("said %q", said)
		}
	})
}

// MSG-23, MSG-24: an edit or a deletion counts where its message stands, and if who
// sends it may.
func TestChangesOfOthers(t *testing.T) {
	each(t, func(d *desk) {
		d.tx(func(ctx context.Context) error {
			room, err := d.s.PrepareRoom(ctx, "internal", "p1", "")
			if err != nil {
				return err
			}
			return d.s.MadeRoom(ctx, room.Alias, "!internal", "12")
		})
		id := d.says("!customer", xena, "hello")
		words := func() string {
			m, err := d.s.Message(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return m.Body
		}
		edit := func(room, user string) {
			d.event(room, user, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* x", "m.new_content": map[string]any{"msgtype": "m.text", "body": user + " " + room}, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": id}}, false)
		}
		edit("!internal", xena)
		edit("!customer", mia)
		if words() != "hello" {
			t.Errorf("edited to %q", words())
		}
		edit("!customer", xena)
		if words() != xena+" !customer" {
			t.Errorf("not edited: %q", words())
		}
		for _, c := range []struct {
			room, user string
			gone       bool
		}{{"!internal", xena, false}, {"!customer", "@eve:x", false}, {"!customer", mia, true}} {
			d.event(c.room, c.user, "m.room.redaction", nil, map[string]any{"redacts": id}, false)
			if gone := words() == ""; gone != c.gone {
				t.Errorf("%s in %s: deleted %v", c.user, c.room, gone)
			}
		}
	})
}

// What may have come before is not done again, and does not hide what is newer.
func TestOldEvents(t *testing.T) {
	each(t, func(d *desk) {
		d.state("!customer", bot, "m.room.name", "", map[string]any{"name": "new"})
		name, topic := "", "m.room.topic"
		d.event("!customer", bot, "m.room.name", &name, map[string]any{"name": "old"}, true)
		d.event("!customer", bot, topic, &name, map[string]any{"topic": "old"}, true)
		d.event("!customer", mia, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "!lane ping"}, true)
		if said := bodies(d.effects()); len(said) > 0 {
			t.Errorf("said %q", said)
		}
		events, err := d.s.State(t.Context(), "!customer")
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, e := range events {
			have = append(have, fmt.Sprint(e.Type, e.Content["name"], e.Content["topic"]))
		}
		if !slices.Contains(have, "m.room.namenew<nil>") || !slices.Contains(have, "m.room.topic<nil>old") {
			t.Errorf("state %q", have)
		}
	})
}

// A command that cannot be handled is answered all the same, where its answer
// belongs; talk is not.
func TestParkedCommand(t *testing.T) {
	each(t, func(d *desk) {
		parked := func(body string) []effect.Effect {
			t.Helper()
			raw, _ := json.Marshal(map[string]any{"event_id": "$x", "type": "m.room.message", "sender": mia, "content": map[string]any{"msgtype": "m.text", "body": body}})
			payload, _ := json.Marshal(store.Input{Kind: store.InputEvent, Room: "!customer", Raw: raw})
			d.tx(func(ctx context.Context) error { return d.h.Parked(ctx, queue.Job{Payload: payload}) })
			return d.effects()
		}
		for body, to := range map[string]effect.Place{"!lane who": {Room: "!customer"}, "!lane plan": {Person: mia}} {
			said := parked(body)
			if to.Person != "" && said[0].Redact != nil { // R21: it does not stay in the customer lane
				said = said[1:]
			}
			if len(said) != 1 || said[0].Message.To != to {
				t.Fatalf("%s: %+v", body, said)
			}
			if r, _ := said[0].Message.Content["lanekeeper.result"].(map[string]any); r["error"] != "internal" || r["ok"] != false {
				t.Errorf("%s: %v", body, r)
			}
		}
		if said := parked("hello"); len(said) > 0 {
			t.Errorf("said %q", bodies(said))
		}
	})
}

// MSG-02: who dies between sending a card and noting it still understands the
// reaction on it: the homeserver shows the card first.
func TestEcho(t *testing.T) {
	each(t, func(d *desk) {
		d.h.Prefix = "abc"
		var job int64
		d.tx(func(ctx context.Context) error {
			if err := d.s.Do(ctx, effect.Effect{Message: &effect.Message{ID: "card:7", To: effect.Place{Project: "p1", Lane: "customer"}}}); err != nil {
				return err
			}
			return d.s.DB.QueryRow(ctx, "SELECT id FROM job").Scan(&job)
		})
		shown := func(id, sender, txn string) {
			t.Helper()
			raw, _ := json.Marshal(map[string]any{"event_id": id, "type": "m.room.message", "sender": sender, "content": map[string]any{"msgtype": "m.text", "body": "x"}, "unsigned": map[string]any{"transaction_id": txn}})
			payload, _ := json.Marshal(store.Input{Kind: store.InputEvent, Room: "!customer", Raw: raw})
			d.tx(d.h.Do(t.Context(), queue.Job{Payload: payload}).Commit)
		}
		shown("$forged", mia, fmt.Sprint("abc.", job))
		shown("$foreign", bot, fmt.Sprint("xyz.", job))
		shown("$other", bot, fmt.Sprint("abc.", job+1))
		if id, err := d.s.SentAs(t.Context(), "$card"); id != "" || err != nil {
			t.Fatal(id, err)
		}
		shown("$card", bot, fmt.Sprint("abc.", job, ".bare"))
		if _, event, err := d.s.Sent(t.Context(), "card:7"); event != "$card" || err != nil {
			t.Errorf("the card is %q: %v", event, err)
		}
	})
}

// M1: the last word does not lose: a ✅ that comes late is left like a command that does, and whoever put it reads so.
func TestStaleReaction(t *testing.T) {
	each(t, func(d *desk) {
		var n int64
		d.tx(func(ctx context.Context) error {
			done, err := d.h.Actions.Request(ctx, action.Act{By: xena, Door: action.Command, At: d.now}, "p1", project.Ask{User: xena, Lane: "customer", Access: project.Text})
			if err != nil {
				return err
			}
			n = done.Request.Number
			return d.s.SaveSent(ctx, fmt.Sprint("request:", n), "!customer", "$card")
		})
		d.effects()
		put := d.now
		react := func(by string) []effect.Effect {
			d.t.Helper()
			raw, _ := json.Marshal(map[string]any{"event_id": fmt.Sprint("$r", by, d.now.Unix()), "type": "m.reaction", "sender": by, "origin_server_ts": put.UnixMilli(),
				"content": map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": "$card", "key": "✅"}}})
			d.input(store.Input{Kind: store.InputEvent, Room: "!customer", Raw: raw})
			return d.effects()
		}
		state := func() project.RequestState {
			q, err := d.s.Request(d.t.Context(), n)
			if err != nil {
				d.t.Fatal(err)
			}
			return q.State
		}
		d.now = put.Add(16 * time.Minute)
		for _, by := range []string{xena, carl} { // who asked for it, and a customer
			if said := react(by); len(said) > 0 || state() != project.Open {
				d.t.Errorf("%s may not decide, and reads %q", by, bodies(said))
			}
		}
		said := react(mia)
		if state() != project.Open || len(said) != 1 || said[0].Message.To.Person != mia || !strings.Contains(bodies(said)[0], "15 minutes") {
			d.t.Errorf("%s; said %q", state(), bodies(said))
		}
		d.now = put.Add(14 * time.Minute)
		if react(mia); state() != project.Approved {
			d.t.Errorf("in time: %s", state())
		}
	})
}

// A deletion is the last word, whichever order things arrive in.
func TestEditAfterDeletion(t *testing.T) {
	each(t, func(d *desk) {
		d.lanes()
		asked := d.says("!customer", carl, "!lane human what now?")
		said := d.event("!customer", carl, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "card 4000", "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": asked}}, false)
		d.event("!customer", carl, "m.room.redaction", nil, map[string]any{"redacts": said}, false)
		d.effects()
		d.event("!customer", carl, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* x", "m.new_content": map[string]any{"msgtype": "m.text", "body": "card 4001"}, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": said}}, false)
		if e := d.effects(); len(e) > 0 {
			t.Errorf("staff read %+v", e)
		}
		if m, err := d.s.Message(t.Context(), said); err != nil || m.Body != "" {
			t.Errorf("kept: %+v, %v", m, err)
		}
	})
}
