package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/whatsapp"
)

// The people of the tests. Dana and Eli answer on WhatsApp, Root in Matrix.
const (
	bot  = "@lanekeeper:x"
	carl = "@carl:x"
	mia  = "@mia:x"
	xena = "@xena:x"
	root = "@root:x"
	olga = "@olga:x"

	dana = "+4915100000001"
	eli  = "+4915100000002"
)

// world is a relay on a real database. Matrix and Twilio are in memory: what the
// effects ask for happens at once, in order, and is kept for the tests to look at.
type world struct {
	t     *testing.T
	ctx   context.Context
	s     *store.Store
	r     *relay.Relay
	q     *phone.Queue
	o     *outbox.WhatsApp
	now   time.Time
	rooms map[string]*store.Room // by kind; direct chats by MXID
	count int
	names map[string]string

	log     []string                            // the story as a person would tell it
	posts   []post                              // everything that stands in Matrix
	outs    []out                               // everything that Twilio has
	files   []effect.File                       // that are waited for
	dropped []string                            // files that are deleted at Twilio
	asked   []string                            // refs of all requests to Twilio
	refuse  func(p *store.Part) *whatsapp.Error // Twilio's answer to a request
	sending func(o out)                         // happens before Twilio answers
	lost    func(m *effect.Message) bool        // what the homeserver refuses
	look    func(mxc string) (typ string, size int64, err error)
	looked  []string
}

// post is an event that the relay sent to Matrix.
type post struct {
	id, room, sender, typ, msgtype, body, html, thread, reply, edits, reacts, key string
	redacts                                                                       string
	mentions                                                                      []string
	content                                                                       map[string]any
}

// out is a message that the relay handed to Twilio.
type out struct {
	sid, phone, body string
	template         int64 // number in the template
	part             int64
	media            string
}

type clock struct{ w *world }

func (c clock) Now() time.Time                         { return c.w.now }
func (c clock) After(d time.Duration) <-chan time.Time { return make(chan time.Time) }

// each runs a test on both databases.
func each(t *testing.T, change func(*relay.Relay), test func(w *world)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) { test(newWorld(t, db, change)) })
}

func newWorld(t *testing.T, db *dbutil.Database, change func(*relay.Relay)) *world {
	w := &world{t: t, ctx: t.Context(), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), rooms: map[string]*store.Room{},
		names: map[string]string{carl: "Carl", mia: "Mia", xena: "Xena", root: "root", olga: "Olga"}}
	ids := 0
	w.s = &store.Store{DB: db, Queue: queue.New(db, clock{w}, zerolog.Nop()), Domain: "x", Keeper: bot, Now: func() time.Time { return w.now },
		NewID: func() string { ids++; return "id" + strconv.Itoa(ids) }}
	w.r = &relay.Relay{
		Store: w.s, Prefix: "!lane", WhatsApp: true, Template: true, Reveal: "name", Consent: "announce", Context: 10,
		Ghost: func(opaque string) string { return "@lanekeeper_agent_" + opaque + ":x" },
		May:   func(user string) bool { return user == root || user == olga },
		Access: func(p *project.Project, user string, lane project.Kind) project.Access {
			return policy.Default().Access(p, user, lane, w.now)
		},
		Staff:  func() []string { return []string{olga, root} },
		Agents: []handoff.Agent{{Phone: dana, Name: "Dana"}, {Phone: eli, Name: "Eli"}},
	}
	link := func(event string) string { return "https://lanes.test/" + event }
	w.q = &phone.Queue{Store: w.s, Relay: w.r, Breaker: whatsapp.NewBreaker(phone.ProbeEvery, w.s.Now), Link: link}
	w.o = &outbox.WhatsApp{Store: w.s, Phones: w.q, Twilio: w, Log: zerolog.Nop(), Template: "HX", Files: w, Link: link, Pace: whatsapp.NewPace(1000, time.Millisecond, w.s.Now)}
	if change != nil {
		change(w.r)
	}
	w.tx(func(ctx context.Context) error {
		if err := w.s.SaveProject(ctx, &project.Project{ID: "p1", Slug: "acme", Name: "Acme", Profile: "agency", Status: project.Active, Created: w.now, People: []project.Person{
			{User: carl, Role: "customer", Since: w.now}, {User: mia, Role: "manager", Since: w.now}, {User: xena, Role: "expert", Since: w.now},
		}}); err != nil {
			return err
		}
		for _, v := range [][3]string{{"customer", "p1", ""}, {"internal", "p1", ""}, {"super_admin", "", ""}, {"direct", "", carl}, {"direct", "", xena}} {
			room, err := w.s.PrepareRoom(ctx, v[0], v[1], v[2])
			if err != nil {
				return err
			}
			name := v[0] + v[2]
			if err := w.s.MadeRoom(ctx, room.Alias, "!"+name, "12"); err != nil {
				return err
			}
			room.ID = "!" + name
			w.rooms[name] = room
		}
		for user, name := range w.names {
			raw := fmt.Sprintf(`{"event_id":"$m%s","type":"m.room.member","state_key":%q,"sender":%q,"content":{"membership":"join","displayname":%q},"origin_server_ts":1}`, user, user, user, name)
			ev, err := matrix.ParseEvent("!customer", json.RawMessage(raw))
			if err != nil {
				return err
			}
			if err := w.s.PutState(ctx, ev); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) tx(fn func(ctx context.Context) error) {
	w.t.Helper()
	if err := w.s.Tx(w.ctx, fn); err != nil {
		w.t.Fatalf("%+v", err)
	}
}

func (w *world) id(prefix string) string { w.count++; return prefix + strconv.Itoa(w.count) }

// wrote puts a person's message into a room, as the handler does before it asks the relay.
func (w *world) wrote(user, room string, content map[string]any) *matrix.Event {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	if content["msgtype"] == nil {
		content["msgtype"] = "m.text"
	}
	raw, _ := json.Marshal(map[string]any{"event_id": w.id("$q"), "type": "m.room.message", "sender": user, "origin_server_ts": w.now.UnixMilli(), "content": content})
	ev, err := matrix.ParseEvent("!"+room, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	w.note("%s in %s%s: %s", w.names[user], room, standing(ev.Thread(), ev.ReplyTo()), ev.Body())
	w.tx(func(ctx context.Context) error { return w.save(ctx, ev) })
	return ev
}

func (w *world) save(ctx context.Context, ev *matrix.Event) error {
	html, _ := ev.Content["formatted_body"].(string)
	return w.s.SaveMessage(ctx, &store.Message{Event: ev.ID, Room: ev.Room, Sender: ev.Sender, TS: ev.TS, Type: ev.MsgType(),
		Body: ev.Body(), HTML: html, Thread: ev.Thread(), ReplyTo: ev.ReplyTo(), File: relay.FileOf(ev.Content)})
}

func body(s string) map[string]any { return map[string]any{"body": s} }

func in(root, s string) map[string]any {
	return map[string]any{"body": s, "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": root, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": root}}}
}

func replying(to, s string) map[string]any {
	return map[string]any{"body": s, "m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": to}}}
}

// says is a message that the relay hears; it gives its event id.
func (w *world) says(user, room string, content map[string]any) string {
	w.t.Helper()
	ev := w.wrote(user, room, content)
	w.tx(func(ctx context.Context) (err error) {
		switch r := w.rooms[room]; {
		case r.Kind == store.SuperAdmin:
			_, err = w.r.SuperAdminMessage(ctx, ev)
		case r.Kind == store.Direct:
			_, err = w.r.DirectMessage(ctx, ev, r)
		default:
			_, err = w.r.LaneMessage(ctx, ev, r)
		}
		return err
	})
	w.settle()
	return ev.ID
}

// asks is the command human; it gives the number and the command's event.
func (w *world) asks(user, room, question string) (int64, string) {
	w.t.Helper()
	ev := w.wrote(user, room, body("!lane human "+question))
	return w.ask(relay.AskInput{Asker: user, Room: w.rooms[room], Event: ev.ID, Question: question, At: ev.TS}), ev.ID
}

// hands is 🙋 on an own message.
func (w *world) hands(user, room, event, thread string) int64 {
	w.t.Helper()
	return w.ask(relay.AskInput{Asker: user, Room: w.rooms[room], Event: event, ByReaction: true, Thread: thread, At: w.now})
}

func (w *world) ask(in relay.AskInput) (n int64) {
	w.t.Helper()
	in.Name = w.names[in.Asker]
	w.tx(func(ctx context.Context) error {
		fields, err := w.r.Ask(ctx, in)
		if err != nil {
			return err
		}
		n = fields["handoff"].(int64)
		return nil
	})
	w.settle()
	return n
}

// reacts is any other reaction.
func (w *world) reacts(user, room, target, key string) string {
	w.t.Helper()
	id := w.id("$r")
	w.note("%s in %s reacts %s to %s", w.names[user], room, key, target)
	raw, _ := json.Marshal(map[string]any{"event_id": id, "type": "m.reaction", "sender": user, "origin_server_ts": w.now.UnixMilli(),
		"content": map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": target, "key": key}}})
	ev, _ := matrix.ParseEvent("!"+room, raw)
	w.tx(func(ctx context.Context) error { _, err := w.r.Reaction(ctx, ev); return err })
	w.settle()
	return id
}

func (w *world) edits(user, room, target, words string) {
	w.t.Helper()
	w.editsTo(user, room, target, map[string]any{"msgtype": "m.text", "body": words})
}

// editsTo is an edit to any content.
func (w *world) editsTo(user, room, target string, content map[string]any) {
	w.t.Helper()
	words, _ := content["body"].(string)
	w.now = w.now.Add(time.Second)
	w.note("%s in %s edits %s: %s", w.names[user], room, target, words)
	raw, _ := json.Marshal(map[string]any{"event_id": w.id("$e"), "type": "m.room.message", "sender": user, "origin_server_ts": w.now.UnixMilli(),
		"content": map[string]any{"msgtype": "m.text", "body": "* " + words, "m.new_content": content,
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": target}}})
	ev, _ := matrix.ParseEvent("!"+room, raw)
	w.tx(func(ctx context.Context) error {
		if _, err := w.r.Edit(ctx, ev); err != nil {
			return err
		}
		return w.s.EditMessage(ctx, target, words, "", relay.FileOf(content))
	})
	w.settle()
}

func (w *world) redacts(user, room, target string) {
	w.t.Helper()
	w.note("%s in %s deletes %s", w.names[user], room, target)
	raw, _ := json.Marshal(map[string]any{"event_id": w.id("$d"), "type": "m.room.redaction", "sender": user, "origin_server_ts": w.now.UnixMilli(),
		"content": map[string]any{"redacts": target}})
	ev, _ := matrix.ParseEvent("!"+room, raw)
	w.tx(func(ctx context.Context) error {
		if _, err := w.r.Redaction(ctx, ev); err != nil {
			return err
		}
		return w.s.RedactMessage(ctx, target)
	})
	w.settle()
}

// phone is a message from a phone; change may add a quote or a button.
func (w *world) phone(number, words string, change ...func(*whatsapp.Inbound)) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	m := whatsapp.Inbound{MessageSID: w.id("SMin"), From: number, Body: words, Type: "text"}
	for _, c := range change {
		c(&m)
	}
	w.note("WhatsApp from %s: %s", number, strings.TrimSpace(m.Body+" "+m.ButtonPayload+" "+strings.Repeat("(quoting)", min(1, len(m.Quoted)))))
	w.tx(func(ctx context.Context) error { return w.r.Inbound(ctx, m) })
	w.settle()
}

func quoting(sid string) func(*whatsapp.Inbound) {
	return func(m *whatsapp.Inbound) { m.Quoted = sid }
}

func tapping(payload string) func(*whatsapp.Inbound) {
	return func(m *whatsapp.Inbound) { m.ButtonPayload = payload }
}

func (w *world) status(o out, status string, code int) {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		return w.q.Status(ctx, whatsapp.Status{MessageSID: o.sid, Ref: strconv.FormatInt(o.part, 10), Status: status, ErrorCode: code})
	})
	w.settle()
}

// wake makes both agents write, so that their windows are open, and forgets it.
func (w *world) wake() {
	w.phone(dana, "?")
	w.phone(eli, "?")
	w.outs = nil
}
