package handoff

import (
	"maps"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// carries reports whether something else than words came from WhatsApp.
func (s *Said) carries() bool { return len(s.Files) > 0 || s.Place != nil }

// attach sends what came with an answer: a place at once, files once they are here.
func (dec *Decision) attach(d *Desk, h *Handoff, a *Agent, s Said, ghost effect.Ghost) {
	if s.Place != nil && MayTravel(s.At, h, Askers) {
		dec.shows(d, h, a, effect.File{Message: s.Event, ReplyTo: s.ReplyTo, Alone: s.empty()}, *s.Place, ghost)
	}
	for _, f := range s.Files {
		f.Handoff, f.Phone, f.Message, f.ReplyTo, f.Alone = h.Number, a.Phone, s.Event, s.ReplyTo, s.empty() && len(s.Files) == 1
		dec.Effects = append(dec.Effects, effect.Effect{File: &f})
	}
}

// FileCame decides about a file of an answer that went to the asker, or would have with
// its words: it goes where words of its agent would go now. What is missing is said
// wherever it is missed. known: the phone is an agent's still.
func (d *Desk) FileCame(h *Handoff, a *Agent, known bool, came effect.Fetched, ghost effect.Ghost) (dec Decision) {
	kept := d.keepsFile(h, a, known)
	kind, why := text.FileKind(came.File.Type), string(came.Missing)
	switch {
	case came.Media == nil:
		if kept == "" {
			m := h.toAsker("", text.FileMissingForAsker(h.Number, d.PublicName(phoneOwner(a)), kind, why).Notice(), effect.Ref(came.File.ReplyTo))
			dec.send(m)
		}
		dec.inCard(h, "", text.FileMissingForStaff(a.Name, kind, why).Notice())
		if known {
			dec.tell(h.Number, a.Phone, text.FileMissingForAgent(kind, why))
		}
	case kept != "":
		content := text.FileKeptForStaff(a.Name, kept, came.Media.Name).Notice()
		dec.inCard(h, "", filed(content, *came.Media))
		if known {
			dec.tell(h.Number, a.Phone, d.keptFile(h))
		}
	default:
		dec.shows(d, h, a, came.File, *came.Media, ghost)
		dec.absent(d, h, effect.To(Copy(h.Number, came.File.Source())), a.Phone)
	}
	return dec
}

// keepsFile is why a file from a phone stays among staff; "" if it goes to the asker.
func (d *Desk) keepsFile(h *Handoff, a *Agent, known bool) string {
	switch {
	case !known:
		return "no longer an agent"
	case !h.Reaches() || !MayTravel(Origin{Phone: true, Handoff: h.Number}, h, Askers):
		return "this is for Matrix only"
	case d.Absent == Removed:
		return "the asker is gone"
	case h.Owner != nil && !d.OwnsByPhone(h, a.Phone) && !d.Orphan(h):
		return h.Owner.Name + " is answering it"
	}
	return ""
}

// keptFile tells an agent so.
func (d *Desk) keptFile(h *Handoff) string {
	switch {
	case d.Absent == Removed:
		return text.RemovedForAgent()
	case h.Reaches() && h.Owner != nil:
		return text.OwnedForAgent(h.Owner.Name, true)
	}
	return text.OnlyMatrixForAgent()
}

func phoneOwner(a *Agent) *Owner { return &Owner{Kind: OnWhatsApp, ID: a.Phone, Name: a.Name} }

// shows puts a file or a place into the asker's thread, as words of its agent, and into
// the card's.
func (dec *Decision) shows(d *Desk, h *Handoff, a *Agent, f effect.File, m effect.Media, ghost effect.Ghost) {
	source := f.Source()
	for _, c := range m.Contacts {
		dec.says(d, h, a, f, "", text.ContactInMatrix(c.Name, c.Numbers), ghost, nil)
	}
	w := text.FileInMatrix(m.Name)
	if p := m.Place; p != nil {
		w = text.PlaceInMatrix(p.Label, p.Latitude, p.Longitude)
	}
	dec.says(d, h, a, f, source, w, ghost, &m)
}

// says puts something of an agent's into both threads; m makes a file of it.
func (dec *Decision) says(d *Desk, h *Handoff, a *Agent, f effect.File, source string, w text.Words, ghost effect.Ghost, m *effect.Media) {
	copied, named := text.Spoken(a.Name, "WhatsApp", w).Notice(), d.answerMessage(h, phoneOwner(a), w, ghost)
	if m != nil {
		copied, named.Content, named.Plain = filed(copied, *m), filed(named.Content, *m), filed(named.Plain, *m)
		if named.From != nil { // who says it is seen
			named.Content["body"] = w.Plain
			if m.Place == nil {
				named.Content["body"] = m.Name
			}
		}
	}
	id := ""
	if source != "" {
		id, named.ID = Copy(h.Number, source), Answer(h.Number, source)
	}
	dec.inCard(h, id, copied)
	if named.Thread, named.ReplyTo = h.relation(effect.Ref(f.ReplyTo)); h.Direct {
		named.Thread, named.ReplyTo = h.relation("")
	}
	if named.From != nil {
		dec.Guest = &project.Guest{User: ghost.User, Name: ghost.Name, Lane: h.Lane}
	}
	h.Answered = true
	if source != "" {
		named.Else = dec.lost(d, h, a, source)
	}
	dec.send(named)
}

// filed makes of content, whose words stay as a caption, that of a file or a place
// (https://spec.matrix.org/v1.15/client-server-api/#mroommessage-msgtypes).
func filed(content map[string]any, m effect.Media) map[string]any {
	if content == nil {
		return nil
	}
	c := maps.Clone(content)
	if m.Place != nil {
		c["msgtype"], c["geo_uri"] = "m.location", "geo:"+m.Place.Latitude+","+m.Place.Longitude
		return c
	}
	info := map[string]any{"mimetype": m.Type, "size": m.Size}
	if m.Width > 0 && m.Height > 0 {
		info["w"], info["h"] = m.Width, m.Height
	}
	if m.Duration > 0 {
		info["duration"] = m.Duration.Milliseconds()
	}
	c["msgtype"], c["url"], c["filename"], c["info"] = msgType(m.Type), m.URI, m.Name, info
	if m.Voice { // MSC3245; a waveform would have to be decoded, and is never made up
		c["org.matrix.msc3245.voice"] = map[string]any{}
		sound := map[string]any{}
		if m.Duration > 0 {
			sound["duration"] = m.Duration.Milliseconds()
		}
		c["org.matrix.msc1767.audio"] = sound
	}
	return c
}

// shown are the types that clients show themselves, by how a type begins.
var shown = map[string]string{"image/jpeg": "m.image", "image/png": "m.image", "image/gif": "m.image", "image/webp": "m.image", "video/": "m.video", "audio/": "m.audio"}

func msgType(typ string) string {
	if t := shown[typ]; t != "" {
		return t
	}
	if len(typ) > 6 && shown[typ[:6]] != "" {
		return shown[typ[:6]]
	}
	return "m.file"
}
