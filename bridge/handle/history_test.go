package handle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// history is one person who talks, asks, edits and takes back in all lanes and in
// her direct chat, at random. Each of her words carries a number of its own.
type history struct {
	*desk
	rnd   *rand.Rand
	said  []*word
	told  []string // what was done, for who reads a failure
	lines int64    // what is checked already
}

// word is something that she said, with what the contract says about it.
type word struct {
	id, room string
	canary   string
	number   int64 // the handoff that it counts in, 0 if in none
	mayLeave bool
	taken    bool // a private question, which the bot takes out of its lane: nobody can edit it any more
	gone     bool // deleted, or edited away
}

const phoneOfDana = "+4915100000001"

func newHistory(d *desk, seed uint64, consent string) *history {
	h := &history{desk: d, rnd: rand.New(rand.NewPCG(seed, 0))}
	d.lanes()
	d.h.Relay.WhatsApp, d.h.Relay.Template, d.h.Relay.Context, d.h.Relay.Consent = true, true, 10, consent
	d.h.Relay.Agents = []handoff.Agent{{Phone: phoneOfDana, Name: "Dana"}}
	d.h.Relay.Limits.Open = int(seed % 5) // 0: any number
	d.h.Policy.Permissions["@root:x"] = "ops"
	d.tx(func(ctx context.Context) error {
		room, err := d.s.PrepareRoom(ctx, store.SuperAdmin, "", "")
		if err == nil {
			err = d.s.MadeRoom(ctx, room.Alias, "!super_admin", "12")
		}
		if err != nil {
			return err
		}
		p, err := d.s.Project(ctx, "p1")
		if err != nil {
			return err
		}
		p.Person(xena).Role = "manager" // in all lanes
		return d.s.SaveProject(ctx, p)
	})
	return h
}

func (h *history) did(format string, args ...any) {
	h.told = append(h.told, fmt.Sprintf(format, args...))
}

// settle lets Matrix show what the bot wants done.
func (h *history) settle() {
	h.t.Helper()
	for {
		effects := h.effects()
		if len(effects) == 0 {
			return
		}
		for _, e := range effects {
			switch {
			case e.Message != nil:
				h.message(e.Message)
			case e.Redact != nil:
				h.event(h.roomOf(e.Redact.In), bot, "m.room.redaction", nil, map[string]any{"redacts": h.ref(e.Redact.Target)}, false)
			}
		}
	}
}

func (h *history) roomOf(p effect.Place) string {
	switch {
	case p.SuperAdmin:
		return "!super_admin"
	case p.Person != "":
		return "!direct" + p.Person
	case p.Lane != "":
		return "!" + p.Lane
	}
	return p.Room
}

func (h *history) ref(r effect.Ref) string {
	id, ours := strings.CutPrefix(string(r), "~")
	if !ours {
		return id
	}
	_, event, err := h.s.Sent(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return event
}

func (h *history) message(m *effect.Message) {
	h.t.Helper()
	sender, typ, content := bot, "m.room.message", map[string]any{}
	if m.From != nil {
		sender = m.From.User
	}
	for k, v := range m.Content {
		content[k] = v
	}
	switch {
	case m.Reacts != "":
		typ = "m.reaction"
		content["m.relates_to"] = map[string]any{"rel_type": "m.annotation", "event_id": h.ref(m.Reacts), "key": m.Key}
	case m.Edits != "":
		content = map[string]any{"msgtype": "m.text", "body": "* ", "m.new_content": m.Content, "m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": h.ref(m.Edits)}}
	case m.Thread != "":
		content["m.relates_to"] = map[string]any{"rel_type": "m.thread", "event_id": h.ref(m.Thread)}
	}
	id := h.event(h.roomOf(m.To), sender, typ, nil, content, false)
	h.tx(func(ctx context.Context) error {
		if m.ID != "" {
			if err := h.s.SaveSent(ctx, m.ID, h.roomOf(m.To), id); err != nil {
				return err
			}
		}
		return h.s.Do(ctx, m.Then...)
	})
}

// handoffs are all there are.
func (h *history) handoffs() (all []*handoff.Handoff) {
	h.t.Helper()
	for n := int64(1); ; n++ {
		one, err := h.s.Handoff(h.t.Context(), n)
		if err != nil {
			h.t.Fatal(err)
		}
		if one == nil {
			return all
		}
		all = append(all, one)
	}
}

// newest is the open handoff of her direct chat that unthreaded words belong to; stays:
// another one that is open there does not leave, so that they are held.
func (h *history) newest() (newest *handoff.Handoff, stays bool) {
	for _, n := range h.handoffs() {
		if n.Direct && n.State != handoff.Closed {
			newest, stays = n, stays || !n.Leaves
		}
	}
	return newest, stays
}

func pick[T any](h *history, from ...T) T { return from[h.rnd.IntN(len(from))] }

// words makes a word with a number of its own.
func (h *history) words() *word {
	w := &word{canary: fmt.Sprintf("CANARY%dX", len(h.said))}
	h.said = append(h.said, w)
	return w
}

// says lets her write something; the text holds the canary once.
func (h *history) write(w *word, body string, relates map[string]any) {
	content := map[string]any{"msgtype": pick(h, "m.text", "m.text", "m.text", "m.emote"), "body": body}
	if strings.HasPrefix(body, "!lane") || strings.HasPrefix(body, "human") {
		content["msgtype"] = "m.text"
	}
	if relates != nil {
		content["m.relates_to"] = relates
	}
	w.id = h.event(w.room, xena, "m.room.message", nil, content, false)
	h.settle()
}

// talk is a message in a lane, or one in the direct chat that belongs to the newest
// open handoff there, or to the one of the message that it answers.
func (h *history) talk() {
	w := h.words()
	w.room = pick(h, "!customer", "!internal", "!notes", "!direct"+xena, "!direct"+xena)
	var relates map[string]any
	w.mayLeave = w.room == "!customer"
	if w.room == "!direct"+xena {
		n, stays := h.newest()
		if to := h.mine("!direct" + xena); to != nil && to.number != 0 && h.rnd.IntN(3) == 0 {
			relates = map[string]any{"m.in_reply_to": map[string]any{"event_id": to.id}}
			n, _ = h.s.Handoff(h.t.Context(), to.number)
			stays = n != nil && !n.Leaves
		}
		if n != nil && n.Direct {
			w.number, w.mayLeave = n.Number, !stays
		}
	}
	h.did("she says %s in %s, for #%d", w.canary, w.room, w.number)
	h.write(w, w.canary+" is what I say", relates)
}

// mine is a message of hers in a room.
func (h *history) mine(room string) *word {
	var all []*word
	for _, w := range h.said {
		if w.id != "" && !w.gone && (room == "" || w.room == room) {
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return pick(h, all...)
}

// asks is human, with and without --private, and 🙋.
func (h *history) asks() {
	if w := h.mine(""); w != nil && h.rnd.IntN(3) == 0 { // 🙋, with whatever thread
		h.did("she puts 🙋 on %s in %s", w.canary, w.room)
		h.event(w.room, xena, "m.reaction", nil, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": w.id, "key": "🙋"}}, false)
		h.settle()
		if n := h.counts(w); w.number == 0 && n != 0 {
			w.number, w.mayLeave = n, w.room == "!customer" || w.room == "!direct"+xena
		}
		return
	}
	w := h.words()
	w.room = pick(h, "!customer", "!internal", "!notes", "!direct"+xena)
	w.mayLeave = w.room == "!customer" || w.room == "!direct"+xena
	body := "!lane human " + w.canary + " is what I ask"
	if h.rnd.IntN(2) == 0 {
		body, w.taken = "!lane human --private "+w.canary+" is what I ask", w.room != "!direct"+xena
	}
	h.did("she asks in %s: %s", w.room, body)
	h.write(w, body, nil)
	w.number = h.counts(w)
}

// counts is the handoff that a word counts in, 0 if in none: a new one, or one that it
// joins since she may have no more.
func (h *history) counts(w *word) int64 {
	h.t.Helper()
	e, err := h.s.HandoffEvent(h.t.Context(), w.id)
	if err != nil {
		h.t.Fatal(err)
	}
	if e == nil {
		return 0
	}
	return e.Handoff
}

// ends closes or opens a handoff, by her or by staff.
func (h *history) ends() {
	all := h.handoffs()
	if len(all) == 0 {
		return
	}
	n := pick(h, all...)
	switch h.rnd.IntN(3) {
	case 0:
		h.did("she closes #%d", n.Number)
		h.says("!direct"+xena, xena, fmt.Sprintf("!lane close #%d", n.Number))
	case 1:
		h.did("root reopens #%d", n.Number)
		h.says("!super_admin", "@root:x", fmt.Sprintf("!lane reopen #%d", n.Number))
	default:
		body := pick(h, "take %d", "pass %d", "done %d", "#%d from Dana")
		h.did("Dana: "+body, n.Number)
		h.dana(fmt.Sprintf(body, n.Number))
	}
	h.settle()
}

func (h *history) dana(body string) {
	h.count++
	raw, _ := json.Marshal(whatsapp.Inbound{MessageSID: fmt.Sprintf("SM%032x", h.count), From: phoneOfDana, Body: body, Type: "text"})
	payload, _ := json.Marshal(store.Input{Kind: store.InputWhatsApp, Raw: raw})
	r := h.h.Do(h.t.Context(), queue.Job{Payload: payload})
	if r.Err != nil {
		h.t.Fatal(r.Err)
	}
	h.tx(r.Commit)
}

// changes edits or deletes something of hers, or reacts with words.
func (h *history) changes() {
	w := h.mine("")
	if w == nil {
		return
	}
	switch h.rnd.IntN(3) {
	case 0:
		h.did("she deletes %s", w.canary)
		h.check() // what left before may have left
		h.event(w.room, xena, "m.room.redaction", nil, map[string]any{"redacts": w.id}, false)
		w.gone = true
	case 1:
		next := h.words()
		*next = word{id: w.id, room: w.room, canary: next.canary, number: w.number, mayLeave: w.mayLeave}
		h.did("she edits %s to %s", w.canary, next.canary)
		h.check()
		body := next.canary + " is what I meant"
		h.event(w.room, xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": "* " + body, "m.new_content": map[string]any{"msgtype": "m.text", "body": body},
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": w.id}}, false)
		w.gone = !w.taken
	default:
		next := h.words()
		room := pick(h, "!internal", "!notes")
		h.did("she reacts %s in %s", next.canary, room)
		for _, n := range h.handoffs() {
			h.event(room, xena, "m.reaction", nil, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": h.ref(effect.To(handoff.Notice(n.Number))), "key": next.canary}}, false)
		}
	}
	h.settle()
}

// agrees is ✅ on a notice that asks for consent.
func (h *history) agrees() {
	all := h.handoffs()
	if len(all) == 0 {
		return
	}
	n := pick(h, all...)
	h.did("she agrees to #%d", n.Number)
	h.event(h.roomOf(n.Place()), xena, "m.reaction", nil, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": h.ref(effect.To(handoff.Notice(n.Number))), "key": "✅"}}, false)
	h.settle()
}

var canaries = regexp.MustCompile(`CANARY(\d+)X`)

// check reads every line that has its place in a phone's queue, and finds no words
// in it that may not be there.
func (h *history) check() {
	h.t.Helper()
	for _, l := range h.queued() {
		n, err := h.s.Handoff(h.t.Context(), l.number)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, m := range canaries.FindAllStringSubmatch(l.words, -1) {
			i, err := strconv.Atoi(m[1])
			if err != nil {
				h.t.Fatal(err)
			}
			w := h.said[i]
			switch {
			case !w.mayLeave || !n.Leaves:
				h.t.Fatalf("%s, said in %s, is on WhatsApp: #%d %s\n%s", w.canary, w.room, l.number, l.words, strings.Join(h.told, "\n"))
			case n.Direct != (w.room == "!direct"+xena) && w.number != n.Number:
				h.t.Fatalf("%s, said in %s, is on WhatsApp for #%d of another room: %s\n%s", w.canary, w.room, l.number, l.words, strings.Join(h.told, "\n"))
			case w.gone && l.id > h.lines:
				h.t.Fatalf("%s was taken back, and is on WhatsApp: %s\n%s", w.canary, l.words, strings.Join(h.told, "\n"))
			}
		}
		h.lines = max(h.lines, l.id)
	}
}

type queued struct {
	id, number int64
	words      string
}

// queued are the lines that have a place in a phone's queue, or had one.
func (h *history) queued() (all []queued) {
	h.t.Helper()
	rows, err := h.s.DB.Query(h.t.Context(), "SELECT DISTINCT l.id, l.handoff, l.head, l.pieces FROM wa_line l JOIN wa_send s ON s.line=l.id ORDER BY l.id")
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var l queued
		var head string
		if err := rows.Scan(&l.id, &l.number, &head, &l.words); err != nil {
			h.t.Fatal(err)
		}
		l.words = head + l.words
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// R1: whatever one person says, asks, edits, deletes, closes and opens again in all
// lanes and in her direct chat: no word of it is on WhatsApp that may not be there.
func TestHistories(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		consent := []string{"announce", "announce", "announce", "ask"}[seed%4]
		t.Run(fmt.Sprint(seed, " ", consent), func(t *testing.T) {
			each(t, func(d *desk) {
				h := newHistory(d, seed, consent)
				h.dana("?")
				h.settle()
				for range 60 {
					d.now = d.now.Add(time.Second)
					switch h.rnd.IntN(8) {
					case 0, 1, 2:
						h.talk()
					case 3, 4:
						h.asks()
					case 5:
						h.ends()
					case 6:
						h.changes()
					default:
						h.agrees()
					}
					h.check()
				}
				if h.lines == 0 {
					t.Errorf("nothing was ever sent:\n%s", strings.Join(h.told, "\n"))
				}
			})
		})
	}
}
