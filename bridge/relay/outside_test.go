package relay_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// settle carries out effects until none is left but what waits: for a window, or for
// Twilio. Jobs are in the order of their keys, as the queue has them; what Twilio is
// asked goes through the real sender.
func (w *world) settle() {
	w.t.Helper()
	for {
		jobs, moved := w.jobs(), false
		for _, j := range jobs {
			moved = w.do(j) || moved
		}
		if !moved {
			w.checkPhones()
			return
		}
	}
}

// checkPhones checks the invariant of the phones' queues: a phone has waiting lines
// ⇒ a job of the phone exists.
func (w *world) checkPhones() {
	w.t.Helper()
	stranded, err := w.s.Stranded(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(stranded) > 0 {
		w.t.Errorf("lines wait for %v, and no job of these phones is left to send them", stranded)
	}
}

type job struct {
	id         int64
	queue, key string
	payload    []byte
	attempts   int
}

func (w *world) jobs() (jobs []job) {
	w.t.Helper()
	rows, err := w.s.DB.Query(w.ctx, "SELECT id, queue, key, payload, attempts FROM job WHERE at<=$1 OR queue=$2 ORDER BY id", w.now.UnixMilli(), store.QueueWhatsApp)
	if err != nil {
		w.t.Fatal(err)
	}
	heads := map[string]bool{}
	for rows.Next() {
		var j job
		if err := rows.Scan(&j.id, &j.queue, &j.key, &j.payload, &j.attempts); err != nil {
			w.t.Fatal(err)
		}
		if j.queue == store.QueueWhatsApp && heads[j.key] {
			continue
		}
		heads[j.key] = heads[j.key] || j.queue == store.QueueWhatsApp
		jobs = append(jobs, j)
	}
	if err := rows.Close(); err != nil {
		w.t.Fatal(err)
	}
	return jobs
}

// done takes a job out, with what its outcome writes.
func (w *world) done(j job, commit func(context.Context) error) {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		if _, err := w.s.DB.Exec(ctx, "DELETE FROM job WHERE id=$1", j.id); err != nil || commit == nil {
			return err
		}
		return commit(ctx)
	})
}

// sends lets the real sender do a job of a phone's queue.
func (w *world) sends(j job) (moved bool) {
	w.t.Helper()
	before, looked := len(w.asked), len(w.looked)
	r := w.o.Do(w.ctx, queue.Job{ID: j.id, Queue: j.queue, Key: j.key, Payload: j.payload, Attempts: j.attempts})
	switch {
	case r.Park != "":
		w.t.Fatalf("parked: %s", r.Park)
	case r.Retry > 0 && len(w.looked) > looked: // at a file
		if !r.Keep {
			w.tx(func(ctx context.Context) error {
				_, err := w.s.DB.Exec(ctx, "UPDATE job SET attempts=attempts+1 WHERE id=$1", j.id)
				return err
			})
		}
		return true
	case r.Retry > 0:
		return len(w.asked) > before
	}
	w.done(j, r.Commit)
	return true
}

func (w *world) do(j job) (moved bool) {
	w.t.Helper()
	if j.queue == store.QueueWhatsApp {
		return w.sends(j)
	}
	w.done(j, nil)
	if j.queue == store.QueueIn {
		var in store.Input
		if err := json.Unmarshal(j.payload, &in); err != nil {
			w.t.Fatal(err)
		}
		due := w.q.Retry
		if in.Timer.Kind == relay.TimerKept {
			due = w.r.KeptOver
		}
		w.tx(func(ctx context.Context) error { return due(ctx, in.Timer.Arg) })
		return true
	}
	var e effect.Effect
	if err := json.Unmarshal(j.payload, &e); err != nil {
		w.t.Fatal(err)
	}
	switch {
	case e.File != nil:
		w.files = append(w.files, *e.File)
	case e.Message != nil:
		w.message(e.Message)
	case e.Redact != nil:
		w.posts = append(w.posts, post{id: w.id("$b"), room: w.room(e.Redact.In), sender: bot, typ: "m.room.redaction", redacts: w.ref(e.Redact.Target)})
		w.told(w.posts[len(w.posts)-1])
	case e.Receipt != nil:
		w.posts = append(w.posts, post{room: strings.TrimPrefix(e.Receipt.Room, "!"), sender: e.Receipt.As, typ: "m.receipt", reacts: string(e.Receipt.Event)})
		w.told(w.posts[len(w.posts)-1])
	}
	return true
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

// Send is Twilio's answer to a request of the sender.
// Look says what files are: what the test says, else a small photo.
func (w *world) Look(_ context.Context, mxc string, _ int64) (typ string, size int64, err error) {
	w.looked = append(w.looked, mxc)
	if w.look != nil {
		return w.look(mxc)
	}
	return "image/jpeg", 1000, nil
}

func (w *world) Send(ctx context.Context, m whatsapp.Message) (sid, status string, err error) {
	id, err := strconv.ParseInt(m.Ref, 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := w.s.Part(ctx, id)
	if err != nil || p == nil || p.State != store.PartTrying {
		w.t.Fatalf("a request for a part that is not tried: %+v %v", p, err)
	}
	w.asked = append(w.asked, m.Ref)
	if w.refuse != nil {
		if failure := w.refuse(p); failure != nil {
			return "", "", failure
		}
	}
	o := out{sid: w.id("SM"), phone: p.Phone, body: p.Body, part: p.ID, media: m.MediaURL}
	if p.Template() {
		o.template = p.Number
	}
	w.outs = append(w.outs, o)
	w.note("    WhatsApp to %s: %s", w.r.People()[slices.IndexFunc(w.r.People(), func(a handoff.Agent) bool { return a.Phone == o.phone })].Name, w.got("")[len(w.outs)-1])
	if w.sending != nil {
		w.sending(o)
	}
	return o.sid, "queued", nil
}

// Find looks for a message at Twilio.
func (w *world) Find(_ context.Context, to string, _ time.Time, match func(whatsapp.Sent) bool) (*whatsapp.Sent, error) {
	for _, o := range w.outs {
		if s := (whatsapp.Sent{SID: o.sid, Status: "queued", Body: o.body}); o.phone == to && match(s) {
			return &s, nil
		}
	}
	return nil, nil
}

func whatsappTo(phone string) effect.WhatsApp { return effect.WhatsApp{To: phone} }
