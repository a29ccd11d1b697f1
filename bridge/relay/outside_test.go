package relay_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/store"
)

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
		w.tx(func(ctx context.Context) error { return w.q.Retry(ctx, in.Timer.Arg) })
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
		var turn phone.Turn
		w.tx(func(ctx context.Context) (err error) { turn, err = w.q.Turn(ctx, e); return err })
		again := false
		for _, p := range turn.Parts {
			w.tx(func(ctx context.Context) error { return w.q.Trying(ctx, p) })
			if w.refuse != nil {
				if failure := w.refuse(p); failure != nil {
					w.tx(func(ctx context.Context) (err error) { again, err = w.q.LineFailed(ctx, p.ID, failure); return err })
					break
				}
			}
			o := out{sid: w.id("SM"), phone: p.Phone, body: p.Body, part: p.ID}
			if p.Template() {
				o.template = p.Number
			}
			w.outs = append(w.outs, o)
			w.note("    WhatsApp to %s: %s", w.r.Agents[slices.IndexFunc(w.r.Agents, func(a handoff.Agent) bool { return a.Phone == o.phone })].Name, w.got("")[len(w.outs)-1])
			w.tx(func(ctx context.Context) error { return w.q.LineSent(ctx, p.ID, o.sid, "queued") })
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
