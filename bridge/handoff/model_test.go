package handoff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// model plays random people against the decisions and checks every one of them.
// All words that anybody writes carry a canary with the number of the handoff that
// they belong to, and words that must stay among staff one of their own.
type model struct {
	t     *rapid.T
	d     *Desk
	hs    []*Handoff
	sent  map[string]map[int64]bool // by phone: handoffs of which words were sent
	count int
}

func (m *model) words(n int64, kind string) string {
	m.count++
	return fmt.Sprintf("%s-%d-%d", kind, n, m.count)
}

func (m *model) said(n int64, kind, user, name string) Said {
	s := m.words(n, kind)
	at := Origin{Staff: true, Handoff: n}
	if kind == "SAID" && n <= int64(len(m.hs)) {
		at = m.hs[n-1].said()
	}
	return Said{Event: "$" + s, User: user, At: at, Name: name, Words: text.Words{Plain: s}, Markup: s, File: rapid.IntRange(0, 9).Draw(m.t, "file") == 0}
}

// said is where askers of a handoff speak.
func (h *Handoff) said() Origin {
	if h.Direct {
		return Origin{Direct: h.First().User, Handoff: h.Number}
	}
	return Origin{Room: h.Room, Lane: h.Lane, Handoff: h.Number}
}

func (m *model) before(h *Handoff) []Said { // as the relay gives it: of those who agreed only
	if !h.Reaches() {
		return nil
	}
	return []Said{m.said(h.Number, "SAID", h.First().User, "Carl")}
}

func (m *model) pick() *Handoff {
	if len(m.hs) == 0 {
		m.t.Skip("none yet")
	}
	return rapid.SampledFrom(m.hs).Draw(m.t, "handoff")
}

func (m *model) agent() *Agent { return &m.d.Agents[rapid.IntRange(0, 1).Draw(m.t, "agent")] }

func (m *model) staff() string {
	return rapid.SampledFrom([]string{"@root:x", "@olga:x"}).Draw(m.t, "staff")
}

// check looks at everything that a decision about one handoff sends.
func (m *model) check(h *Handoff, dec Decision) {
	for _, l := range dec.Lines {
		m.line(h, l)
	}
	m.effects(h, dec.Effects)
	if h.State == Taken && h.Owner == nil || h.State == Open && h.Owner != nil {
		m.t.Fatalf("#%d is %s with owner %v", h.Number, h.State, h.Owner)
	}
}

func (m *model) line(h *Handoff, l Line) {
	words := l.Text("")
	if l.Number != h.Number && l.Number != 0 {
		m.t.Fatalf("a line about #%d from #%d", l.Number, h.Number)
	}
	if !h.Leaves && strings.ContainsAny(words, "-") { // canaries hold hyphens, our sentences do not
		m.t.Fatalf("#%d waits in Matrix, WhatsApp reads %q", h.Number, words)
	}
	m.canaries("WhatsApp", h.Number, words, "SAID", "ANSWER")
	for _, p := range l.Pieces {
		if a := h.Asker(p.User()); a != nil && !a.Leaves() && !l.Held {
			m.t.Fatalf("#%d: %s has not agreed, WhatsApp reads %q", h.Number, p.User(), words)
		}
	}
	if l.Held {
		return
	}
	for _, phone := range l.To {
		if (l.Kind == LineAsk || l.Kind == LineSay || l.Kind == LineWaiting) && !m.d.Asks(h, phone) {
			m.t.Fatalf("#%d: %s is not asked but gets %q", h.Number, phone, words)
		}
		if l.Kind == LineAsk || l.Kind == LineSay {
			m.sent[phone][h.Number] = true
		}
	}
}

// canaries allows only words of some kinds, of one handoff.
func (m *model) canaries(where string, n int64, words string, kinds ...string) {
	for _, kind := range []string{"SAID", "ANSWER", "STAFF", "LATE"} {
		for _, rest := range strings.Split(words, kind+"-")[1:] {
			if !slices.Contains(kinds, kind) || !strings.HasPrefix(rest, fmt.Sprintf("%d-", n)) {
				m.t.Fatalf("%s of #%d reads %q", where, n, words)
			}
		}
	}
}

func (m *model) effects(h *Handoff, effects []effect.Effect) {
	for _, e := range effects {
		if e.Message == nil {
			continue
		}
		b, _ := json.Marshal([]any{e.Message.Content, e.Message.Plain})
		if e.Message.To.SuperAdmin {
			m.canaries("the card's thread", h.Number, string(b), "SAID", "ANSWER", "STAFF", "LATE")
			if e.Message.Edits != "" && len(mentioned(e.Message.Content)) > 0 {
				m.t.Fatalf("an edit mentions %v", mentioned(e.Message.Content))
			}
		} else {
			if e.Message.To != h.Place() {
				m.t.Fatalf("#%d speaks in %+v", h.Number, e.Message.To)
			}
			m.canaries("the asker", h.Number, string(b), "SAID", "ANSWER")
			if e.Message.Content["msgtype"] == "m.text" && h.State != Taken {
				m.t.Fatalf("an answer while #%d is %s", h.Number, h.State)
			}
		}
		m.effects(h, e.Message.Then)
		m.effects(h, e.Message.Else)
	}
}

func mentioned(content map[string]any) []string {
	mentions, _ := content["m.mentions"].(map[string]any)
	users, _ := mentions["user_ids"].([]string)
	return users
}

func (m *model) ask(t *rapid.T) {
	n := int64(len(m.hs) + 1)
	lane := rapid.SampledFrom([]project.Kind{project.Customer, project.Internal, project.Notes, ""}).Draw(t, "lane")
	asker := fmt.Sprintf("@asker%d:x", rapid.IntRange(0, 2).Draw(t, "asker"))
	a := Asking{Number: n, Lane: lane, Room: "!" + string(lane), Private: lane != "" && rapid.Bool().Draw(t, "private"), Question: m.said(n, "SAID", asker, "Carl")}
	a.Question.At = Origin{Room: a.Room, Lane: lane}
	if lane == "" {
		a.Question.At = Origin{Direct: asker}
	}
	if rapid.Bool().Draw(t, "context") {
		a.Context = []Said{m.said(n, "SAID", "@mia:x", "Mia")}
		a.Context[0].At = Origin{Room: a.Room, Lane: lane, Direct: rapid.SampledFrom([]string{"", asker}).Draw(t, "chat"), Stays: rapid.Bool().Draw(t, "stays")}
	}
	h, dec := m.d.Ask(a)
	m.hs = append(m.hs, h)
	m.check(h, dec)
}

func (m *model) asker(t *rapid.T) {
	h := m.pick()
	m.check(h, m.d.AskerSays(h, m.said(h.Number, "SAID", h.First().User, "Carl"), m.before(h)))
}

func (m *model) join(t *rapid.T) {
	h := m.pick()
	if h.Direct {
		t.Skip("nobody else is there")
	}
	m.check(h, m.d.Join(h, m.said(h.Number, "SAID", "@mia:x", "Mia"), Nobody, m.before(h)))
}

// staffSays: words of who does not own it may not reach the asker.
func (m *model) staffSays(t *rapid.T) {
	h, user := m.pick(), m.staff()
	kind := "STAFF"
	if h.State == Taken && m.d.Owns(h, user) {
		kind = "ANSWER"
	}
	s := m.said(h.Number, kind, user, user)
	dec, sent := m.d.StaffSays(h, s, effect.Ghost{User: "@ghost:x"})
	if sent != (kind == "ANSWER") {
		t.Fatalf("sent: %v", sent)
	}
	m.check(h, dec)
}

// phone: an answer goes where the rules say, or nowhere.
func (m *model) phone(t *rapid.T) {
	a := m.agent()
	in := Incoming{Phone: a.Phone, Opening: rapid.IntRange(0, 5).Draw(t, "opening") == 0, Listed: rapid.IntRange(0, 5).Draw(t, "listed") == 0}
	named := int64(0)
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		named = m.pick().Number
		in.Body = fmt.Sprintf("#%d words", named)
	case 1:
		named = m.pick().Number
		in.Body, in.Quotes, in.Quoted = "words", true, named
	default:
		in.Body = "words"
	}
	var known []Known
	var own, free []int64
	for _, h := range m.hs {
		if h.State == Closed {
			continue
		}
		k := Known{h, m.sent[a.Phone][h.Number]}
		known = append(known, k)
		switch {
		case h.State == Taken && h.Owner.ID == a.Phone:
			own = append(own, h.Number)
		case h.State == Open && k.Sent && h.Reaches() && !slices.Contains(h.Passed, a.Phone):
			free = append(free, h.Number)
		}
	}
	r := m.d.Find(in, known)
	if r.Verb != Answers {
		if named != 0 {
			t.Fatalf("%+v is not routed: %+v", in, r)
		}
		return
	}
	only := len(own) == 1 && own[0] == r.Number || len(own) == 0 && len(free) == 1 && free[0] == r.Number
	if r.Number != named && (named != 0 || !only || in.Opening) {
		t.Fatalf("guessed: %+v for %+v; owns %v, free %v", r, in, own, free)
	}
	h := m.hs[r.Number-1]
	kind := "LATE"
	if h.Reaches() && (h.State == Open || h.State == Taken && h.Owner.ID == a.Phone) {
		kind = "ANSWER"
	}
	s := m.said(h.Number, kind, a.Phone, a.Name)
	dec, sent := m.d.AgentSays(h, a, s, effect.Ghost{User: "@ghost:x"}, r.Confirm)
	if sent != (kind == "ANSWER") {
		t.Fatalf("sent: %v", sent)
	}
	if sent && h.Owner.ID != a.Phone {
		t.Fatalf("%s answers what %s owns", a.Phone, h.Owner.ID)
	}
	m.check(h, dec)
}

func (m *model) words4(t *rapid.T) {
	h, a := m.pick(), m.agent()
	taken, owner := h.State == Taken, h.Owner
	var dec Decision
	switch rapid.IntRange(0, 2).Draw(t, "word") {
	case 0:
		dec = m.d.TakeByPhone(h, a, m.before(h))
	case 1:
		dec = m.d.Pass(h, a, m.before(h))
	default:
		dec = m.d.Done(h, a)
	}
	if taken && owner.ID != a.Phone && (h.State != Taken || h.Owner != owner) {
		t.Fatalf("%s changed what %s owns", a.Phone, owner.ID)
	}
	if !h.Leaves && h.Owner != nil && h.Owner.Kind == OnWhatsApp {
		t.Fatalf("#%d waits in Matrix but %s owns it", h.Number, h.Owner.ID)
	}
	m.check(h, dec)
}

func (m *model) commands(t *rapid.T) {
	h, user := m.pick(), m.staff()
	owner, taken := h.Owner, h.State == Taken
	force := rapid.Bool().Draw(t, "force")
	var dec Decision
	var err error
	switch rapid.IntRange(0, 3).Draw(t, "command") {
	case 0:
		dec, _, err = m.d.Take(h, Owner{Kind: OnMatrix, ID: user, Name: "root"}, force, nil)
		if (err != nil) != (taken && owner.ID != user && !force) {
			t.Fatalf("take: %v", err)
		}
	case 1:
		dec, _, err = m.d.Release(h, user, m.before(h))
		if err == nil && taken && owner.ID != user {
			t.Fatal("released what another owns")
		}
	case 2:
		dec, _ = m.d.Close(h, Closing{By: "root", ByAsker: rapid.Bool().Draw(t, "by asker")})
	default:
		dec, _ = m.d.Reopen(h, false, m.before(h))
	}
	if err == nil {
		m.check(h, dec)
	}
}

func (m *model) consent(t *rapid.T) {
	h := m.pick()
	a := &h.Askers[rapid.IntRange(0, len(h.Askers)-1).Draw(t, "asker")]
	if a.Consent == Given {
		m.check(h, m.d.Revoked(h, a))
		return
	}
	dec, _ := m.d.Consented(h, a, "$yes")
	m.check(h, dec)
}

func (m *model) changes(t *rapid.T) {
	h := m.pick()
	s := m.said(h.Number, "SAID", h.First().User, "Carl")
	switch rapid.IntRange(0, 2).Draw(t, "change") {
	case 0:
		m.check(h, m.d.Edited(h, s, []string{dana, eli}))
	case 1:
		m.check(h, m.d.Withdrawn(h, h.First(), h.Asked, []string{dana}))
	default:
		if h.First().Leaves() {
			s.Markup, s.Words.Plain, s.File = "👍", "👍", false
			m.check(h, m.d.Reacted(h, h.First(), "$a", s, m.said(h.Number, "ANSWER", "", "")))
		}
	}
}

// The promises, whatever people do: words go only where they may, only the owner
// answers, nothing is guessed. HAND-10, HAND-11, TRUST-14, TRUST-15
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, d: newDesk(), sent: map[string]map[int64]bool{dana: {}, eli: {}}}
		m.d.Consent = rapid.SampledFrom([]string{"announce", "ask"}).Draw(t, "consent")
		m.d.Template = rapid.Bool().Draw(t, "template")
		m.d.Windows[eli] = rapid.Bool().Draw(t, "window")
		t.Repeat(map[string]func(*rapid.T){
			"ask": m.ask, "asker": m.asker, "join": m.join, "staff": m.staffSays, "phone": m.phone,
			"words": m.words4, "commands": m.commands, "consent": m.consent, "changes": m.changes,
		})
	})
}
