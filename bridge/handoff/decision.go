package handoff

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Decision is what shall happen. Effects and lines are independent of each other.
type Decision struct {
	Effects []effect.Effect
	// Lines go to WhatsApp. An effect refers to one by LineRef.
	Lines []Line
	// Guest is the ghost that speaks: it has to be a guest of the project first.
	Guest *project.Guest
	// Wake are phones whose waiting lines may have become needless.
	Wake []string
}

// LineKind says what a line is for; the relay looks again when its turn comes.
type LineKind string

const (
	LineAsk       LineKind = "ask"       // the question or the conversation so far
	LineSay       LineKind = "say"       // the asker's words
	LineWaiting   LineKind = "waiting"   // #N is waiting in Matrix
	LineCorrected LineKind = "corrected" // new words for a line that was sent
	LineWithdrawn LineKind = "withdrawn" // a line that was sent is deleted
	LineReaction  LineKind = "reaction"
	LineOwned     LineKind = "owned" // to those who were asked: somebody else is on it
	LineTold      LineKind = "told"  // the bot's own words to one agent
)

// Line is a text for WhatsApp. What it is made of stays apart until its turn
// comes, so that an edit or a deletion before that changes it.
type Line struct {
	Number int64 // handoff; 0: about none
	Kind   LineKind
	Source string // event id of the message it stands for; "" if for none
	Head   string // words on the line of the tag; the pieces follow below it
	Pieces []Piece
	To     []string // phones
	// Held: it is stored but goes out only if an effect asks for it, or when the
	// asker has agreed.
	Held bool
}

// Tag begins a part of a line: "*#12* ", with its place among the parts of a long
// text.
func Tag(n int64, part, of int) string {
	switch {
	case n == 0 && of == 1:
		return ""
	case n == 0:
		return fmt.Sprintf("(%d/%d) ", part, of)
	case of == 1:
		return fmt.Sprintf("*#%d* ", n)
	}
	return fmt.Sprintf("*#%d* (%d/%d) ", n, part, of)
}

// LineRef refers to the i-th line of the same decision in an effect.
func LineRef(i int) int64 { return -int64(i) - 1 }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (d *Decision) send(m effect.Message) {
	d.Effects = append(d.Effects, effect.Effect{Message: &m})
}

// inCard says something in the card's thread.
func (d *Decision) inCard(h *Handoff, id string, content map[string]any) {
	d.send(cardThread(h, id, content))
}

func cardThread(h *Handoff, id string, content map[string]any) effect.Message {
	return effect.Message{ID: id, To: effect.Place{SuperAdmin: true}, Content: content, Thread: effect.To(Card(h.Number))}
}

// toAsker says something where the asker reads, as a reply where it has a target.
func (d *Decision) toAsker(h *Handoff, id string, content map[string]any, reply effect.Ref) {
	d.send(h.toAsker(id, content, reply))
}

func (h *Handoff) toAsker(id string, content map[string]any, reply effect.Ref) effect.Message {
	m := effect.Message{ID: id, To: h.Place(), Content: content}
	m.Thread, m.ReplyTo = h.relation(reply)
	return m
}

// toConsent is toAsker with the reaction that agrees on it, if the asker is wanted to.
func (d *Decision) toConsent(h *Handoff, id string, content map[string]any, reply effect.Ref, wanted bool) {
	m := h.toAsker(id, content, reply)
	if wanted {
		m.Then = []effect.Effect{effect.Sign(m.To, id, MarkYes)}
	}
	d.send(m)
}

// relation is where something is said to the asker: in a lane in the thread. In a
// direct chat a thread would hide it: there it is a reply, to the latest that they
// said if to nothing else; a thread that they began themselves is kept to.
func (h *Handoff) relation(reply effect.Ref) (thread, to effect.Ref) {
	private := reply == effect.Ref(h.Asked) && strings.HasPrefix(string(h.Thread), "~") // it stood in another room and is gone
	switch {
	case !h.Direct && reply == h.Thread: // of the root a reply says nothing
		return h.Thread, ""
	case !h.Direct:
		return h.Thread, reply
	case reply == "" || reply == h.Last || private:
		return h.LastIn, h.Last
	}
	return "", reply
}

// heard notes what an asker said last.
func (h *Handoff) heard(s Said) {
	h.Answered = false
	if h.Direct && s.At.Direct != "" {
		h.Last, h.LastIn = effect.Ref(s.Event), effect.Ref(s.Thread)
	}
}

// Numbered puts the number of a handoff before what is said to its asker in a direct
// chat that has others, too.
func (d *Decision) Numbered(h *Handoff) {
	for _, e := range d.Effects {
		if m := e.Message; h.Direct && m != nil && m.To == h.Place() && m.Reacts == "" {
			m.Content = numbered(m.Content, h.Number)
		}
	}
}

func numbered(content map[string]any, n int64) map[string]any {
	body, _ := content["body"].(string)
	tag := "#" + itoa(n)
	if strings.HasPrefix(body, tag+" ") {
		return content
	}
	// Our own sentences say it last, before whatever they repeat.
	before := func(words, end string) string {
		first, rest, more := strings.Cut(words, end)
		if content["msgtype"] == "m.notice" { // not people's words
			first = strings.TrimSuffix(first, " ("+tag+")")
		}
		first = tag + " · " + first
		if more {
			return first + end + rest
		}
		return first
	}
	out := maps.Clone(content)
	out["body"] = before(body, "\n")
	if html, ok := content["formatted_body"].(string); ok {
		out["formatted_body"] = before(html, "<br>")
	}
	return out
}

// tell answers an agent on WhatsApp.
func (d *Decision) tell(n int64, phone, words string) {
	d.Lines = append(d.Lines, Line{Number: n, Kind: LineTold, Head: words, To: []string{phone}})
}

// card shows the state of the handoff.
func (h *Handoff) card(mention []string) map[string]any {
	c := text.Card{
		Number: h.Number, Asker: text.Pill{ID: h.First().User, Name: h.First().Name}, Place: h.Where(),
		Question: markup.Fit(h.question(), cardLimit), State: string(h.State), Closer: h.Closer, InMatrix: !h.Leaves, Since: h.Created,
	}
	if h.Owner != nil {
		c.Owner, c.Phone = h.Owner.Name, h.Owner.Kind == OnWhatsApp
	}
	c.Consent, c.InLane, c.Billed = h.Leaves && !h.Reaches(), h.InLane, h.Billed
	content := text.CardForStaff(c).Mention(mention...).Message()
	content["lanekeeper.handoff"] = h.Fields()
	return content
}

// Listed is the handoff in a list for staff at a time.
func (h *Handoff) Listed(card text.Pill, now time.Time) text.Listed {
	l := text.Listed{
		Number: h.Number, Card: card, Asker: text.Pill{ID: h.First().User, Name: h.First().Name}, Place: h.Where(),
		State: string(h.State), Question: h.question().Plain,
	}
	if h.Owner != nil {
		l.Owner = h.Owner.Name
	}
	if h.State != Closed && !h.Created.IsZero() {
		l.Age = max(now.Sub(h.Created), time.Second)
	}
	return l
}

// Fields is what programs read of a handoff.
func (h *Handoff) Fields() map[string]any {
	f := map[string]any{"number": h.Number, "project": nil, "lane": nil, "asker": h.First().User, "state": string(h.State), "owner": nil}
	if h.Project != "" {
		f["project"] = h.Project
	}
	if h.Lane != "" {
		f["lane"] = string(h.Lane)
	}
	if h.Owner != nil {
		f["owner"] = map[string]any{"kind": h.Owner.Kind, "name": h.Owner.Name}
	}
	return f
}

// editCard brings the card to the state; an edit mentions nobody.
func (d *Decision) editCard(h *Handoff) {
	d.send(effect.Message{To: effect.Place{SuperAdmin: true}, Edits: effect.To(Card(h.Number)), Content: h.card(nil)})
}
