package emulator

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	beat      = 20 * time.Second // how often a quiet stream shows that it lives
	writeTime = 30 * time.Second // how long a page may take to read
)

// news is one event of the page's stream: all that changed since the last one.
type news struct {
	Page     string   `json:"page"` // names this stream
	Fresh    bool     `json:"fresh"`
	Business string   `json:"business"`
	Number   string   `json:"number"`
	Phones   []phone  `json:"phones"`
	Messages []bubble `json:"messages"`
}

type phone struct {
	Phone
	OpenFor int64 `json:"open_for"` // milliseconds
}

// bubble is a message as a phone shows it.
type bubble struct {
	SID     string   `json:"sid"`
	Phone   string   `json:"phone"`
	Own     bool     `json:"own"` // written on the phone
	Text    string   `json:"text"`
	Buttons []Button `json:"buttons,omitempty"`
	Files   []string `json:"files,omitempty"`
	Got     *shown   `json:"got,omitempty"`
	Quoted  string   `json:"quoted,omitempty"`
	Tapped  string   `json:"tapped,omitempty"` // payload
	State   string   `json:"state"`            // waiting, sent, delivered, read, failed
	Reason  string   `json:"reason,omitempty"`
	At      int64    `json:"at"` // Unix milliseconds
}

// events is the page's stream of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). A page that
// lost it goes on where it was.
func (e *Emulator) events(w http.ResponseWriter, r *http.Request) {
	since := 0
	if instance, revision, ok := strings.Cut(r.Header.Get("Last-Event-ID"), "."); ok && instance == e.instance {
		since, _ = strconv.Atoi(revision)
	}
	page := rand.Text()
	e.mu.Lock()
	e.shown[page] = map[string]bool{}
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.shown, page)
		e.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for text := ""; ; {
		var changed chan struct{}
		text, since, changed = e.next(page, since)
		_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // not every server has one
		if _, err := fmt.Fprint(w, text); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-e.ctx.Done():
			return
		}
	}
}

// next writes the event that takes a page from one revision to the present one.
func (e *Emulator) next(page string, since int) (text string, revision int, changed chan struct{}) {
	e.mu.Lock()
	n := news{Page: page, Fresh: since == 0, Business: e.cfg.Business, Number: strings.TrimPrefix(e.cfg.From, "whatsapp:"), Phones: []phone{}, Messages: []bubble{}}
	for _, p := range e.cfg.Phones {
		n.Phones = append(n.Phones, phone{p, e.openFor(p.Number).Milliseconds()})
	}
	for _, m := range e.messages {
		if m.revision > since {
			n.Messages = append(n.Messages, show(m))
		}
	}
	revision, changed = e.revision, e.changed
	e.mu.Unlock()
	data, err := json.Marshal(n)
	if err != nil {
		return "", revision, changed // cannot be: plain strings and numbers
	}
	return fmt.Sprintf("id: %s.%d\ndata: %s\n\n", e.instance, revision, data), revision, changed
}

func show(m *Message) bubble {
	b := bubble{
		SID: m.SID, Phone: m.Phone, Own: m.Inbound, Text: m.Text(), Buttons: m.Buttons(), Got: onPage(m.got),
		Quoted: m.Quoted, Tapped: m.Button, At: m.At.UnixMilli(),
	}
	for _, f := range m.files {
		b.Files = append(b.Files, f.Type)
	}
	switch {
	case m.Inbound && !m.webhook.done:
		b.State = "sent"
	case m.Inbound && m.webhook.failure != "":
		b.State, b.Reason = "sent", "Lanekeeper didn’t accept it ("+m.webhook.failure+"). It will find it later in Twilio’s list."
	case m.Inbound:
		b.State = "delivered"
	case rank(m.Status) < rank("sent"):
		b.State = "waiting"
	case m.Status == "undelivered" || m.Status == "failed":
		b.State, b.Reason = "failed", reason(m.ErrorCode)
	default:
		b.State = m.Status
	}
	return b
}

// reason says why a message never arrived.
func reason(code int) string {
	switch code {
	case 0:
		return "It never arrived."
	case 63016:
		return "It never arrived: the 24-hour window is closed, and only a template would have got through (63016)."
	case 63019, 12300:
		return fmt.Sprintf("It never arrived: its file cannot be fetched, or is none that WhatsApp takes (%d).", code)
	case 63024, 63003:
		return fmt.Sprintf("It never arrived: this phone cannot be reached (%d).", code)
	}
	return fmt.Sprintf("It never arrived (%d).", code)
}
