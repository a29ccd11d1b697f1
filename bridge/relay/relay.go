// Package relay carries handoffs between the rooms of askers, the super-admin
// room and WhatsApp. It loads what a decision needs, asks bridge/handoff to
// decide, stores the outcome and writes the effects. All of it runs inside the
// transaction that the context carries; nothing here waits for a network.
package relay

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// Relay is the glue of the handoffs.
type Relay struct {
	Store  *store.Store
	Prefix string // of commands, "!lane"

	// Ghost gives the MXID of an agent's ghost from its opaque part.
	Ghost func(opaque string) string
	// May reports whether somebody has the ability "handoff" at this moment.
	May func(user string) bool
	// Access is what somebody has in a lane of a project at this moment.
	Access func(p *project.Project, user string, lane project.Kind) project.Access
	// Staff are the MXIDs that can be mentioned when somebody has to act.
	Staff func() []string

	WhatsApp bool              // whatsapp.enabled
	Template bool              // whatsapp.template_sid is set
	Agents   []handoff.Agent   // whatsapp.agents; see People
	From     string            // whatsapp.from
	Reveal   string            // handoff.reveal_agent: name or team
	Consent  string            // handoff.consent: announce or ask
	Context  int               // handoff.context_messages
	Ready    map[string]string // handoff.ready_answers
	Limits   Limits
	Came     func() // hears of each message from WhatsApp; may be nil

	people atomic.Pointer[[]handoff.Agent]
}

// Limits are how much one person can have and do; below 1: any number.
type Limits struct {
	Open     int // handoffs that are not closed
	Words    int // messages to somebody in a handoff, per minute
	Commands int // agent words, per minute
}

// window is how long after an agent's last message free text may be sent to them.
// WhatsApp allows 24 hours (https://www.twilio.com/docs/whatsapp/key-concepts);
// what is sent in the last minutes could come too late.
const window = 23*time.Hour + 50*time.Minute

// desk is what decisions know of the support team now.
func (r *Relay) desk(ctx context.Context) (*handoff.Desk, error) {
	d := &handoff.Desk{Template: r.Template, Ready: r.Ready, Reveal: r.Reveal, Consent: r.Consent, Prefix: r.Prefix, Staff: r.Staff(), May: r.May, Windows: map[string]bool{}, Refused: map[string]string{}, Off: map[string]bool{}, Stopped: map[string]bool{}}
	if !r.WhatsApp {
		return d, nil
	}
	d.Agents = r.People()
	numbers := make([]string, len(d.Agents))
	for i, a := range d.Agents {
		numbers[i] = a.Phone
		if a.Paused.After(r.Store.Now()) {
			d.Off[a.Phone] = true
		}
	}
	phones, err := r.Store.Phones(ctx, numbers)
	if err != nil {
		return nil, err
	}
	for n, p := range phones {
		d.Windows[n] = open(p, r.Store.Now()) && p.Stopped.IsZero()
		switch {
		case !p.Stopped.IsZero():
			d.Off[n], d.Stopped[n], d.Refused[n] = true, true, text.StoppedForStaff()
		case !d.Windows[n]:
			d.Refused[n] = p.Refused
		}
	}
	return d, nil
}

// deskOf is desk, with who got words of a handoff that nobody owns yet.
func (r *Relay) deskOf(ctx context.Context, h *handoff.Handoff) (*handoff.Desk, error) {
	d, err := r.desk(ctx)
	if err != nil {
		return nil, err
	}
	return d, r.got(ctx, d, h)
}

func (r *Relay) got(ctx context.Context, d *handoff.Desk, h *handoff.Handoff) (err error) {
	if len(d.Agents) > 0 && h.State == handoff.Open && h.Reaches() {
		d.Got, err = r.Store.GotWords(ctx, h.Number)
	}
	return err
}

// Desk is what the queues of phones know of the support team now.
func (r *Relay) Desk(ctx context.Context) (*handoff.Desk, error) { return r.desk(ctx) }

// Apply stores what a queue of a phone decided.
func (r *Relay) Apply(ctx context.Context, h *handoff.Handoff, dec handoff.Decision) error {
	return r.apply(ctx, h, dec)
}

// open reports whether free text may be sent to a phone at a time.
func open(p *store.Phone, now time.Time) bool {
	return !p.Inbound.IsZero() && now.Before(p.Inbound.Add(window))
}

// agent finds the agent with a phone number, in any of the forms that WhatsApp
// writes one number; nil if it is no agent's.
func (r *Relay) agent(phone string) *handoff.Agent {
	if !r.WhatsApp || phone == "" {
		return nil
	}
	agents := r.People()
	for i := range agents {
		if whatsapp.SameNumber(agents[i].Phone, phone) {
			return &agents[i]
		}
	}
	return nil
}

// ghost is who speaks for an owner in lanes.
func (r *Relay) ghost(ctx context.Context, d *handoff.Desk, h *handoff.Handoff, o *handoff.Owner) (effect.Ghost, error) {
	if o == nil || h.Direct {
		return effect.Ghost{}, nil
	}
	opaque, err := r.Store.Ghost(ctx, d.GhostKey(o))
	return effect.Ghost{User: r.Ghost(opaque), Name: d.PublicName(o)}, err
}

// apply stores a decision: the handoff, its lines and its effects.
func (r *Relay) apply(ctx context.Context, h *handoff.Handoff, dec handoff.Decision) error {
	effects, err := r.guest(ctx, h, dec.Guest)
	if err != nil {
		return err
	}
	if err := r.numbers(ctx, h, dec); err != nil {
		return err
	}
	ids, err := r.lines(ctx, dec.Lines)
	if err != nil {
		return err
	}
	number(dec.Effects, ids)
	effects = append(effects, dec.Effects...)
	if h != nil {
		if err := r.Store.SaveHandoff(ctx, h); err != nil {
			return err
		}
	}
	if len(dec.Wake) > 0 {
		queue.AfterCommit(ctx, r.Store.DB, func() {
			for _, number := range dec.Wake {
				r.Store.Queue.Wake(store.QueueWhatsApp, number)
			}
		})
	}
	if err := r.Store.Do(ctx, effects...); err != nil {
		return err
	}
	return r.put(ctx, dec.Lines, ids)
}

// numbers puts the number before what is said in a direct chat that has more than one
// open handoff.
func (r *Relay) numbers(ctx context.Context, h *handoff.Handoff, dec handoff.Decision) error {
	if h == nil || !h.Direct {
		return nil
	}
	open, err := r.Store.HandoffsInDirect(ctx, h.First().User)
	if slices.ContainsFunc(open, func(other *handoff.Handoff) bool { return other.Number != h.Number }) {
		dec.Numbered(h)
	}
	return err
}

// guest makes a ghost that speaks a guest of the project, so that its rooms let it in.
func (r *Relay) guest(ctx context.Context, h *handoff.Handoff, g *project.Guest) ([]effect.Effect, error) {
	if g == nil || h.Project == "" {
		return nil, nil
	}
	p, err := r.Store.Project(ctx, h.Project)
	if err != nil || p == nil || !handoff.GuestNews(p, g) {
		return nil, err
	}
	for i, have := range p.Guests {
		if have.User == g.User && have.Lane == g.Lane {
			p.Guests = append(p.Guests[:i], p.Guests[i+1:]...)
			break
		}
	}
	p.Guests = append(p.Guests, *g)
	if err := r.Store.SaveProject(ctx, p); err != nil {
		return nil, err
	}
	return []effect.Effect{{Reconcile: &effect.Reconcile{Project: p.ID}}}, nil
}

// lines stores lines and gives their ids.
func (r *Relay) lines(ctx context.Context, lines []handoff.Line) (ids []int64, err error) {
	for _, l := range lines {
		stored := &store.Line{Line: l}
		if len(l.Pieces) > 0 {
			stored.Asker = l.Pieces[0].User()
		}
		if err := r.Store.AddLine(ctx, stored); err != nil {
			return nil, err
		}
		ids = append(ids, stored.ID)
	}
	return ids, nil
}

// put makes stored lines wait for their phones.
func (r *Relay) put(ctx context.Context, lines []handoff.Line, ids []int64) error {
	for i, l := range lines {
		if l.Held {
			continue
		}
		if err := phone.Put(ctx, r.Store, ids[i], l.To...); err != nil {
			return err
		}
	}
	return nil
}

// number puts the ids of stored lines in the place of references to them.
func number(effects []effect.Effect, ids []int64) {
	for _, e := range effects {
		switch {
		case e.WhatsApp != nil && e.WhatsApp.Line < 0:
			e.WhatsApp.Line = ids[-e.WhatsApp.Line-1]
		case e.Message != nil:
			number(e.Message.Then, ids)
			number(e.Message.Else, ids)
		}
	}
}
