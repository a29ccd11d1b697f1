package emulator

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Limits of what WhatsApp takes
// (https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages).
const (
	maxFile   = 16 << 20
	maxImage  = 5 << 20
	fetchTime = 20 * time.Second
)

// taken are the types that WhatsApp takes.
var taken = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/webp": true,
	"audio/ogg": true, "audio/amr": true, "audio/3gpp": true, "audio/aac": true, "audio/mpeg": true, "audio/mp4": true, "video/mp4": true, "video/3gpp": true,
	"application/pdf": true, "application/msword": true, "application/vnd.ms-excel": true, "application/vnd.ms-powerpoint": true, "text/vcard": true,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   true,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         true,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": true,
}

// fetchMedia fetches the file of a message to a phone, as Twilio does. code: why it never
// arrives, 0 if it does.
func (e *Emulator) fetchMedia(m *Message) (f File, code int) {
	address := m.Media[0]
	if e.cfg.Public != e.cfg.Deliver { // where the public address really is
		if rest, ok := strings.CutPrefix(address, e.cfg.Public); ok {
			address = e.cfg.Deliver + rest
		}
	}
	ctx, cancel := context.WithTimeout(e.ctx, fetchTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return f, 63019
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return f, 63019
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return f, 63019
	}
	typ, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	limit := int64(maxFile)
	if strings.HasPrefix(typ, "image/") {
		limit = maxImage
	}
	switch {
	case !taken[typ]:
		return f, 12300
	case resp.ContentLength > limit:
		return f, 63019
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil && !errors.Is(err, io.EOF) || len(data) == 0 || int64(len(data)) > limit {
		return f, 63019
	}
	return File{Type: typ, Name: params["filename"], Data: data}, 0
}

// arrived is how a phone has the file of a message.
func (e *Emulator) arrived(m *Message, f File) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m.got = &f
	e.touch(m)
}

// Received is the file that a phone has got with a message; nil if it has none.
func (e *Emulator) Received(sid string) *File {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.bySID[sid]; m != nil {
		return m.got
	}
	return nil
}

// shown is a file on the page of phones.
type shown struct {
	Name  string `json:"name"`
	Image bool   `json:"image"`
}

func onPage(f *File) *shown {
	if f == nil {
		return nil
	}
	return &shown{Name: f.Name, Image: strings.HasPrefix(f.Type, "image/")}
}

// received serves the file of a message to the page of phones.
func (e *Emulator) received(w http.ResponseWriter, r *http.Request) {
	f := e.Received(r.PathValue("message"))
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.Type)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": path.Base("/" + f.Name)}))
	_, _ = w.Write(f.Data)
}
