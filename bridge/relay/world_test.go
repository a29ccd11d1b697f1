package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
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
	now   time.Time
	rooms map[string]*store.Room // by kind; direct chats by MXID
	count int
	names map[string]string

	log    []string // the story as a person would tell it
	posts  []post   // everything that stands in Matrix
	outs   []out    // everything that Twilio has
	waits  map[string][]effect.WhatsApp
	refuse func(p *store.Part) *whatsapp.Error // Twilio's answer to a request
	lost   func(m *effect.Message) bool        // what the homeserver refuses
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
}

type clock struct{ w *world }

func (c clock) Now() time.Time                         { return c.w.now }
func (c clock) After(d time.Duration) <-chan time.Time { return make(chan time.Time) }

// each runs a test on both databases.
func each(t *testing.T, change func(*relay.Relay), test func(w *world)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) { test(newWorld(t, db, change)) })
}

func newWorld(t *testing.T, db *dbutil.Database, change func(*relay.Relay)) *world {
	w := &world{t: t, ctx: t.Context(), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), rooms: map[string]*store.Room{}, waits: map[string][]effect.WhatsApp{},
		names: map[string]string{carl: "Carl", mia: "Mia", xena: "Xena", root: "root", olga: "Olga"}}
	ids := 0
	w.s = &store.Store{DB: db, Queue: queue.New(db, clock{w}, zerolog.Nop()), Domain: "x", Now: func() time.Time { return w.now },
		NewID: func() string { ids++; return "id" + strconv.Itoa(ids) }}
	w.r = &relay.Relay{
		Store: w.s, Bot: bot, Prefix: "!lane", WhatsApp: true, Template: true, Reveal: "name", Consent: "announce", Context: 10,
		Ghost:  func(opaque string) string { return "@lanekeeper_agent_" + opaque + ":x" },
		May:    func(user string) bool { return user == root || user == olga },
		Staff:  func() []string { return []string{olga, root} },
		Agents: []handoff.Agent{{Phone: dana, Name: "Dana"}, {Phone: eli, Name: "Eli"}},
	}
	if change != nil {
		change(w.r)
	}
	w.tx(func(ctx context.Context) error {
		if err := w.s.SaveProject(ctx, &project.Project{ID: "p1", Slug: "acme", Name: "Acme", Profile: "agency", Status: project.Active, Created: w.now}); err != nil {
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

// note adds a line to the story.
func (w *world) note(format string, args ...any) {
	lines := strings.Split(fmt.Sprintf(format, args...), "\n")
	w.log = append(w.log, strings.Join(lines, "\n      "))
}

func standing(thread, reply string) string {
	switch {
	case thread != "" && reply != "":
		return ", thread on " + thread + ", reply to " + reply
	case thread != "":
		return ", thread on " + thread
	case reply != "":
		return ", reply to " + reply
	}
	return ""
}

// told is a post as a line of the story.
func (w *world) told(p post) {
	who := strings.TrimSuffix(strings.TrimPrefix(p.sender, "@"), ":x")
	switch {
	case p.redacts != "":
		w.note("    %s: %s deletes %s", p.room, who, p.redacts)
	case p.typ == "m.receipt":
		w.note("    %s: %s has read %s", p.room, who, p.reacts)
	case p.reacts != "":
		w.note("    %s: %s reacts %s to %s", p.room, who, p.key, p.reacts)
	case p.edits != "":
		w.note("    %s: %s edits %s: %s", p.room, who, p.edits, p.body)
	default:
		alerts := ""
		if len(p.mentions) > 0 {
			alerts = " @" + strings.Join(p.mentions, " @")
		}
		w.note("    %s: %s %s %s%s%s: %s", p.room, who, p.msgtype, p.id, standing(p.thread, p.reply), alerts, p.body)
	}
}

func (w *world) save(ctx context.Context, ev *matrix.Event) error {
	html, _ := ev.Content["formatted_body"].(string)
	return w.s.SaveMessage(ctx, &store.Message{Event: ev.ID, Room: ev.Room, Sender: ev.Sender, TS: ev.TS, Type: ev.MsgType(),
		Body: ev.Body(), HTML: html, Thread: ev.Thread(), ReplyTo: ev.ReplyTo()})
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
	w.now = w.now.Add(time.Second)
	w.note("%s in %s edits %s: %s", w.names[user], room, target, words)
	raw, _ := json.Marshal(map[string]any{"event_id": w.id("$e"), "type": "m.room.message", "sender": user, "origin_server_ts": w.now.UnixMilli(),
		"content": map[string]any{"msgtype": "m.text", "body": "* " + words, "m.new_content": map[string]any{"msgtype": "m.text", "body": words},
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": target}}})
	ev, _ := matrix.ParseEvent("!"+room, raw)
	w.tx(func(ctx context.Context) error {
		if _, err := w.r.Edit(ctx, ev); err != nil {
			return err
		}
		return w.s.EditMessage(ctx, target, words, "")
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
		return w.r.Status(ctx, whatsapp.Status{MessageSID: o.sid, Ref: strconv.FormatInt(o.part, 10), Status: status, ErrorCode: code})
	})
	w.settle()
}

// wake makes both agents write, so that their windows are open, and forgets it.
func (w *world) wake() {
	w.phone(dana, "?")
	w.phone(eli, "?")
	w.outs = nil
}

// settle carries out effects until none is left but what waits for a window.
func (w *world) settle() {
	w.t.Helper()
	for {
		jobs := w.jobs()
		for _, j := range jobs {
			w.do(j)
		}
		if len(jobs) == 0 {
			return
		}
	}
}

type job struct {
	id      int64
	queue   string
	payload []byte
}

func (w *world) jobs() (jobs []job) {
	w.t.Helper()
	rows, err := w.s.DB.Query(w.ctx, "SELECT id, queue, payload FROM job WHERE at<=$1 ORDER BY id", w.now.UnixMilli())
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		var j job
		if err := rows.Scan(&j.id, &j.queue, &j.payload); err != nil {
			w.t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	if err := rows.Close(); err != nil {
		w.t.Fatal(err)
	}
	for _, j := range jobs {
		if _, err := w.s.DB.Exec(w.ctx, "DELETE FROM job WHERE id=$1", j.id); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, phone := range slices.Sorted(maps.Keys(w.waits)) { // what waits looks again
		if len(w.waits[phone]) > 0 {
			w.send(w.waits[phone][0])
		}
	}
	return jobs
}

func (w *world) do(j job) {
	w.t.Helper()
	if j.queue == store.QueueIn {
		var in store.Input
		if err := json.Unmarshal(j.payload, &in); err != nil {
			w.t.Fatal(err)
		}
		w.tx(func(ctx context.Context) error { return w.r.Timer(ctx, in.Timer.Kind, in.Timer.Arg) })
		return
	}
	var e effect.Effect
	if err := json.Unmarshal(j.payload, &e); err != nil {
		w.t.Fatal(err)
	}
	switch {
	case e.Message != nil:
		w.message(e.Message)
	case e.Redact != nil:
		w.posts = append(w.posts, post{id: w.id("$b"), room: w.room(e.Redact.In), sender: bot, typ: "m.room.redaction", redacts: w.ref(e.Redact.Target)})
		w.told(w.posts[len(w.posts)-1])
	case e.Receipt != nil:
		w.posts = append(w.posts, post{room: strings.TrimPrefix(e.Receipt.Room, "!"), sender: e.Receipt.As, typ: "m.receipt", reacts: string(e.Receipt.Event)})
		w.told(w.posts[len(w.posts)-1])
	case e.WhatsApp != nil:
		w.waits[e.WhatsApp.To] = append(w.waits[e.WhatsApp.To], *e.WhatsApp)
		if len(w.waits[e.WhatsApp.To]) == 1 {
			w.send(*e.WhatsApp)
		}
	}
}

func (w *world) room(p effect.Place) string {
	switch {
	case p.SuperAdmin:
		return "super_admin"
	case p.Person != "":
		return "direct" + p.Person
	}
	return strings.TrimPrefix(p.Room, "!")
}

func (w *world) ref(r effect.Ref) string {
	if !strings.HasPrefix(string(r), "~") {
		return string(r)
	}
	_, ev, err := w.s.Sent(w.ctx, string(r[1:]))
	if err != nil {
		w.t.Fatal(err)
	}
	return ev
}

func (w *world) message(m *effect.Message) {
	w.t.Helper()
	if w.lost != nil && w.lost(m) {
		w.tx(func(ctx context.Context) error { return w.s.Do(ctx, m.Else...) })
		return
	}
	p := post{id: w.id("$b"), room: w.room(m.To), sender: bot, typ: m.Type, content: m.Content, thread: w.ref(m.Thread), reply: w.ref(m.ReplyTo), edits: w.ref(m.Edits), reacts: w.ref(m.Reacts), key: m.Key}
	if (m.Edits != "" && p.edits == "") || (m.Reacts != "" && p.reacts == "") {
		w.t.Errorf("refers to what was never sent: %+v", m)
	}
	if m.From != nil {
		p.sender = m.From.User
	}
	p.msgtype, _ = m.Content["msgtype"].(string)
	p.body, _ = m.Content["body"].(string)
	p.html, _ = m.Content["formatted_body"].(string)
	if mentions, _ := m.Content["m.mentions"].(map[string]any); mentions != nil {
		users, _ := mentions["user_ids"].([]any)
		for _, u := range users {
			p.mentions = append(p.mentions, u.(string))
		}
	}
	w.posts = append(w.posts, p)
	w.told(p)
	w.tx(func(ctx context.Context) error {
		if m.ID != "" {
			if err := w.s.SaveSent(ctx, m.ID, "!"+p.room, p.id); err != nil {
				return err
			}
		}
		if p.body != "" && p.edits == "" {
			if err := w.s.SaveMessage(ctx, &store.Message{Event: p.id, Room: "!" + p.room, Sender: p.sender, TS: w.now, Type: p.msgtype, Body: p.body, HTML: p.html, Thread: p.thread, ReplyTo: p.reply}); err != nil {
				return err
			}
		}
		return w.s.Do(ctx, m.Then...)
	})
}

// send does what the outbox does with one job of a phone's queue.
func (w *world) send(e effect.WhatsApp) {
	w.t.Helper()
	for {
		var turn relay.Turn
		w.tx(func(ctx context.Context) (err error) { turn, err = w.r.Turn(ctx, e); return err })
		again := false
		for _, p := range turn.Parts {
			w.tx(func(ctx context.Context) error { return w.r.Trying(ctx, p) })
			if w.refuse != nil {
				if failure := w.refuse(p); failure != nil {
					w.tx(func(ctx context.Context) (err error) { again, err = w.r.LineFailed(ctx, p.ID, failure); return err })
					break
				}
			}
			o := out{sid: w.id("SM"), phone: p.Phone, body: p.Body, part: p.ID}
			if p.Template() {
				o.template = p.Number
			}
			w.outs = append(w.outs, o)
			w.note("    WhatsApp to %s: %s", w.r.Agents[slices.IndexFunc(w.r.Agents, func(a handoff.Agent) bool { return a.Phone == o.phone })].Name, w.got("")[len(w.outs)-1])
			w.tx(func(ctx context.Context) error { return w.r.LineSent(ctx, p.ID, o.sid, "queued") })
		}
		switch {
		case again:
			continue
		case turn.Wait:
			return
		}
		w.waits[e.To] = w.waits[e.To][1:]
		if len(w.waits[e.To]) == 0 {
			return
		}
		e = w.waits[e.To][0]
	}
}

// in gives the texts of the bot and the ghosts in a room, newest last.
func (w *world) in(room string) (bodies []string) {
	for _, p := range w.posts {
		if p.room == room && p.body != "" && p.edits == "" {
			bodies = append(bodies, p.body)
		}
	}
	return bodies
}

// find gives the newest post whose text contains the words.
func (w *world) find(room, words string) *post {
	for i := len(w.posts) - 1; i >= 0; i-- {
		if p := &w.posts[i]; p.room == room && p.edits == "" && strings.Contains(p.body, words) {
			return p
		}
	}
	return nil
}

func (w *world) must(room, words string) *post {
	w.t.Helper()
	p := w.find(room, words)
	if p == nil {
		w.t.Fatalf("nothing in %s says %q:\n%s", room, words, strings.Join(w.in(room), "\n"))
	}
	return p
}

func (w *world) none(room, words string) {
	w.t.Helper()
	if p := w.find(room, words); p != nil {
		w.t.Errorf("%s says %q: %s", room, words, p.body)
	}
}

// got gives what Twilio has for a phone, "" for all, newest last.
func (w *world) got(phone string) (bodies []string) {
	for _, o := range w.outs {
		if phone != "" && o.phone != phone {
			continue
		}
		if o.template != 0 {
			bodies = append(bodies, fmt.Sprintf("template %d", o.template))
			continue
		}
		bodies = append(bodies, o.body)
	}
	return bodies
}

func (w *world) last(phone string) out {
	w.t.Helper()
	for i := len(w.outs) - 1; i >= 0; i-- {
		if w.outs[i].phone == phone {
			return w.outs[i]
		}
	}
	w.t.Fatalf("%s got nothing", phone)
	return out{}
}

func (w *world) phoneGot(phone string, want ...string) {
	w.t.Helper()
	if got := w.got(phone); !slices.Equal(got, want) {
		w.t.Errorf("%s got\n%s\nwant\n%s", phone, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.outs = slices.DeleteFunc(w.outs, func(o out) bool { return o.phone == phone })
}

// card gives the newest version of a handoff's card.
func (w *world) card(n int64) map[string]any {
	w.t.Helper()
	for i := len(w.posts) - 1; i >= 0; i-- {
		if c, ok := w.posts[i].content["lanekeeper.handoff"].(map[string]any); ok && c["number"] == float64(n) {
			return c
		}
	}
	w.t.Fatalf("no card of #%d", n)
	return nil
}

// root is the event of a handoff's card.
func (w *world) root(n int64) string {
	w.t.Helper()
	ev := w.ref(effect.To(handoff.Card(n)))
	if ev == "" {
		w.t.Fatalf("no card of #%d", n)
	}
	return ev
}

func (w *world) marked(event, key string) bool {
	return slices.ContainsFunc(w.posts, func(p post) bool { return p.reacts == event && p.key == key })
}

func (w *world) load(n int64) *handoff.Handoff {
	w.t.Helper()
	h, err := w.s.Handoff(w.ctx, n)
	if err != nil || h == nil {
		w.t.Fatalf("handoff %d: %v", n, err)
	}
	return h
}

// at is where a command of staff stands.
func (w *world) at(room, thread string) relay.At {
	return relay.At{Room: w.rooms[room], Event: w.id("$c"), Thread: thread}
}
