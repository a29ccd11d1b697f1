package handle_test

import (
	"context"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
)

func (d *desk) lane(kind string) {
	d.t.Helper()
	d.tx(func(ctx context.Context) error {
		room, err := d.s.PrepareRoom(ctx, kind, "p1", "")
		if err != nil {
			return err
		}
		return d.s.MadeRoom(ctx, room.Alias, "!"+kind, "12")
	})
}

func (d *desk) reacts(room, user, event, key string) {
	d.t.Helper()
	d.event(room, user, "m.reaction", nil, map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": event, "key": key}}, false)
}

// shown is everything that waits until Matrix shows the project as it is.
func (d *desk) shown() []effect.Effect {
	d.t.Helper()
	d.effects()
	d.tx(func(ctx context.Context) error {
		return d.s.ReleaseAnswers(ctx, "p1", -1, 1<<60, d.h.Policy.MayNameAll)
	})
	return d.effects()
}

// carded is an open request of Xena, asked in the internal lane, and its card.
func (d *desk) carded() (card effect.Message) {
	d.t.Helper()
	d.says("!internal", xena, "!lane request")
	for _, e := range d.effects() {
		if m := e.Message; m != nil && m.Content["lanekeeper.request"] != nil && m.Edits == "" {
			card = *m
			d.tx(func(ctx context.Context) error { return d.s.SaveSent(ctx, m.ID, "!notes", "$card") })
		}
	}
	return card
}

// Cards are messages that mention who decides, and carry the reactions that decide.
func TestRequestCard(t *testing.T) {
	each(t, func(d *desk) {
		d.lane("internal")
		d.lane("notes")
		card := d.carded()
		mentions, _ := card.Content["m.mentions"].(map[string]any)
		if card.Content["msgtype"] != "m.text" || len(mentions) != 1 {
			t.Errorf("the card: %v", card.Content)
		}
		var signs string
		for _, e := range card.Then {
			if e.Message.Reacts == effect.To(card.ID) {
				signs += e.Message.Key
			}
		}
		if signs != "✅❌" {
			t.Errorf("the bot put %q on it", signs)
		}
		d.reacts("!notes", bot, "$card", "✅") // its own decide nothing
		d.reacts("!notes", xena, "$card", "👍")
		if said := words(d.effects()); len(said) != 0 {
			t.Errorf("said %q", said)
		}
		for i := range 3 {
			d.reacts("!notes", mia, "$card", "👍")
			if said := words(d.effects()); len(said) != 1-min(i, 1) {
				t.Errorf("another sign, %d: %q", i, said)
			}
		}
		d.reacts("!notes", mia, "$card", "✔️ ") // U16
		var told, inThread, edited bool
		all := append(d.effects(), d.shown()...)
		for _, e := range all {
			m := e.Message
			if m == nil {
				continue
			}
			body, _ := m.Content["body"].(string)
			who, _ := m.Content["m.mentions"].(map[string]any)
			told = told || m.To.Person == xena && m.Content["msgtype"] == "m.text" && len(who) == 1 && strings.Contains(body, "You can now write in")
			inThread = inThread || m.To.Room == "!internal" && m.Thread != "" && m.Content["msgtype"] == "m.notice" && strings.Contains(body, "Approved! You'll find the link in our direct chat. (#1)")
			if m.Edits == effect.To(card.ID) {
				r, _ := m.Content["lanekeeper.request"].(map[string]any)
				edited = r["state"] == string(project.Approved) && strings.Contains(body, "Approved by") && !strings.Contains(body, "to decline")
			}
		}
		if !told || !inThread || !edited {
			t.Errorf("told %v, in the thread %v, the card %v: %q", told, inThread, edited, words(all))
		}
	})
}
