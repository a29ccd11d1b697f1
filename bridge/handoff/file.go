package handoff

import (
	"slices"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/text"
)

// File is a file that somebody sent in Matrix.
type File struct {
	MXC       string `json:"url,omitempty"` // "": it is encrypted, or has no address
	Encrypted bool   `json:"encrypted,omitempty"`
	Name      string `json:"name,omitempty"`
	Kind      string `json:"kind"` // msgtype, or m.voice
	// What it is by its bytes, and how large. "": nobody looked yet; a size of -1: it is
	// too large to find out, or could not be fetched.
	Type string `json:"type,omitempty"`
	Size int64  `json:"size,omitempty"`
}

// The largest files that WhatsApp takes, and of which types
// (https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages).
const (
	MaxImage = 5 << 20
	MaxFile  = 16 << 20
)

var carried = map[string]int64{
	"image/jpeg": MaxImage, "image/png": MaxImage,
	"audio/ogg": MaxFile, "audio/amr": MaxFile, "audio/mpeg": MaxFile, "audio/mp4": MaxFile, "audio/aac": MaxFile, "audio/3gpp": MaxFile,
	"video/mp4": MaxFile, "video/3gpp": MaxFile,
	"application/pdf": MaxFile, "application/msword": MaxFile, "application/vnd.ms-excel": MaxFile, "application/vnd.ms-powerpoint": MaxFile, "text/vcard": MaxFile,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   MaxFile,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         MaxFile,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": MaxFile,
}

// Carried reports whether WhatsApp takes it as it is; everything else goes as a link.
func (f *File) Carried() bool { return f.Size > 0 && f.Size <= carried[f.Type] }

// Image reports whether WhatsApp shows it with words below it; with all else it drops them.
func (f *File) Image() bool { return f.Type == "image/jpeg" || f.Type == "image/png" }

// Looked notes what a file is by its bytes.
func (f *File) Looked(typ string, size int64) { f.Type, f.Size = typ, size }

func (f *File) named() text.File {
	if f == nil {
		return text.File{}
	}
	return text.File{Name: f.Name, Kind: f.Kind, Size: f.Size}
}

// File is what goes with a line to WhatsApp; nil if nothing does. What was said before
// names its files only.
func (l *Line) File() (f *File, event string) {
	for i := range l.Pieces {
		if p := &l.Pieces[i].p; p.goes() {
			return p.Sent, p.Event
		}
	}
	return nil, ""
}

// Looked notes what the file of a line is, unless it has another by now.
func (l *Line) Looked(mxc, typ string, size int64) {
	for i := range l.Pieces {
		if f := l.Pieces[i].p.Sent; f != nil && f.MXC == mxc {
			f.Looked(typ, size)
		}
	}
}

// Link makes the file of a line go as a link: WhatsApp did not take it.
func (l *Line) Link() {
	if f, _ := l.File(); f != nil {
		f.Type = "application/octet-stream"
	}
}

// goes reports whether the file of a piece goes along, and is not named alone.
func (p *piece) goes() bool {
	return p.File && p.Sent != nil && p.Sent.MXC != "" && p.Event != "" && p.Limit == 0
}

// file is what stands below the words of a piece for its file. link is where it can be
// fetched, "" if it goes along as it is.
func (p *piece) file(link string) string {
	switch {
	case p.Sent == nil || p.Sent.MXC == "":
		return text.StayedFileForAgent(p.Sent.named())
	case p.goes() && link != "":
		return text.LinkForAgent(p.Sent.named(), link)
	case p.goes() && p.Text != "" && p.Sent.Image():
		return "" // they see it
	}
	return text.FileNameForAgent(p.Sent.named())
}

// passes reports whether what was said is a file that we can pass on.
func (s *Said) passes() bool { return s.File && s.Sent != nil && s.Sent.MXC != "" }

// copied is the effect ID of a file in the card's thread.
func copied(n int64, event string) string { return "file:" + itoa(n) + ":" + event }

// staffGets shows a file in the card's thread, once. In Matrix it needs no other address:
// the homeserver gives files to everybody who has an account.
func (dec *Decision) staffGets(h *Handoff, s Said) {
	if _, ok := s.show(h, Staff); !ok || !s.passes() || slices.Contains(h.Files, s.Event) {
		return
	}
	h.Files = append(h.Files, s.Event)
	dec.inCard(h, copied(h.Number, s.Event), s.Sent.content())
}

// editFile puts another file in the place of the one that staff see, takes it away where
// words stand there now, and shows one that was none before.
func (dec *Decision) editFile(h *Handoff, s Said) {
	_, ok := s.show(h, Staff)
	switch {
	case !ok || !s.passes():
		dec.redactFile(h, s.Event)
	case slices.Contains(h.Files, s.Event):
		dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Edits: effect.To(copied(h.Number, s.Event)), Content: s.Sent.content()})
	default:
		dec.staffGets(h, s)
	}
}

func (dec *Decision) redactFile(h *Handoff, event string) {
	if i := slices.Index(h.Files, event); i >= 0 {
		h.Files = slices.Delete(h.Files, i, i+1)
		dec.Effects = append(dec.Effects, effect.Effect{Redact: &effect.Redact{In: effect.Place{SuperAdmin: true}, Target: effect.To(copied(h.Number, event)), Reason: "withdrawn by who wrote it"}})
	}
}

func (f *File) content() map[string]any {
	typ := f.Kind
	switch typ {
	case "m.voice":
		typ = "m.audio"
	case "m.sticker":
		typ = "m.image"
	}
	return map[string]any{"msgtype": typ, "body": f.named().Name, "filename": f.named().Name, "url": f.MXC, "m.mentions": map[string]any{}}
}

// Linked decides that WhatsApp did not take the file of a line, and that a link to it went
// in its place; why is for staff.
func (d *Desk) Linked(h *Handoff, l Line, phone, why string) Decision {
	var dec Decision
	m := cardThread(h, "", text.LinkedForStaff(h.Number, d.nameOf(phone), why).Notice())
	if l.Kind == LineSay {
		m.ReplyTo = effect.To(Copy(h.Number, l.Source))
	}
	dec.send(m)
	return dec
}
