package relay

import (
	"cmp"
	"context"
	"path"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/media"
	"lanekeeper/bridge/whatsapp"
)

// albumFor is how long what one message from a phone was about counts for pictures without
// words after it: WhatsApp sends each picture of an album as a message of its own.
const albumFor = time.Minute

// album routes a file without words to where the message before it went, if that was just
// now. What quotes or taps something says itself what it is about.
func (r *Relay) album(ctx context.Context, in whatsapp.Inbound, msg handoff.Incoming, to handoff.Route) (handoff.Route, error) {
	if !msg.File || msg.Opening || msg.Listed || msg.Quotes || msg.Button != "" || strings.TrimSpace(in.Body) != "" {
		return to, nil
	}
	n, err := r.Store.LastRouted(ctx, in.From, in.MessageSID, msg.At.Add(-albumFor))
	if n == 0 || err != nil {
		return to, err
	}
	return handoff.Route{Verb: handoff.Answers, Number: n}, nil
}

// files are those of a message. Where Twilio only told their number, as of what is found by
// listing, there is one that stands for all of them.
func files(in whatsapp.Inbound) (all []effect.File) {
	for _, m := range in.Media {
		all = append(all, effect.File{URL: m.URL, Type: m.Type})
	}
	if len(all) == 0 && in.NumMedia > 0 {
		all = append(all, effect.File{})
	}
	return all
}

// named takes words that are nothing but the name of a document, as WhatsApp sends it, for
// that.
func named(all []effect.File, words string) (rest string) {
	ext := path.Ext(words)
	if len(all) != 1 || !strings.HasPrefix(all[0].Type, "application/") || strings.ContainsAny(words, "\n/\\") || len(words) > 200 || ext == "" {
		return words
	}
	if !strings.EqualFold(ext, cmp.Or(media.Extension(all[0].Type), ext)) || strings.ContainsAny(ext, " :") || len(ext) > 6 || len(ext) < 3 {
		return words
	}
	all[0].Name = words
	return ""
}

// spot is where somebody is, or wants others to be.
func spot(in whatsapp.Inbound) *effect.Media {
	l := in.Location
	if l == nil || l.Latitude == "" || l.Longitude == "" {
		return nil
	}
	var named []string
	for _, s := range []string{l.Label, l.Address} {
		if s = strings.Join(strings.Fields(s), " "); s != "" && (len(named) == 0 || named[0] != s) {
			named = append(named, s)
		}
	}
	return &effect.Media{Place: &effect.Spot{Latitude: l.Latitude, Longitude: l.Longitude, Label: strings.Join(named, ", ")}}
}

// FileCame takes what became of a file from WhatsApp. Once it is in Matrix it is deleted at
// Twilio.
func (r *Relay) FileCame(ctx context.Context, came effect.Fetched) error {
	f := came.File
	if came.Media != nil {
		drop := effect.File{Phone: f.Phone, Message: f.Message, URL: f.URL, Drop: true}
		if err := r.Store.Do(ctx, effect.Effect{File: &drop}); err != nil {
			return err
		}
	}
	h, err := r.Store.Handoff(ctx, f.Handoff)
	if h == nil || err != nil { // it is forgotten, with all that was said in it
		return err
	}
	desk, err := r.deskOf(ctx, h)
	if err != nil {
		return err
	}
	a, known := r.agent(f.Phone), true
	if a == nil {
		a, known = &handoff.Agent{Phone: f.Phone, Name: "Support"}, false
	}
	ghost, err := r.ghost(ctx, desk, h, &handoff.Owner{Kind: handoff.OnWhatsApp, ID: a.Phone, Name: a.Name})
	if err != nil {
		return err
	}
	if desk.Absent, err = r.absent(ctx, h); err != nil {
		return err
	}
	return r.apply(ctx, h, desk.FileCame(h, a, known, came, ghost))
}
