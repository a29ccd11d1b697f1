package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Reply says how a phone answers.
type Reply struct {
	Quoted string     // sid of the message that is quoted
	Button string     // payload of the button tapped; the body is what stands on it
	Files  []File     // WhatsApp sends one for each message
	Extra  url.Values // more parameters of the webhook, in place of ours
}

// File is a picture, a voice note, a document, a contact card.
type File struct {
	Type    string
	Name    string // in Content-Disposition, or of one that came to a phone; may be empty
	Data    []byte
	Missing int    // how often it is not there yet; below 0: always
	Storage string // where Twilio redirects to for it; empty: to a storage of the emulator, under another name
}

// stored is a file in the account.
type stored struct {
	*File
	sid, key string // key opens it in the storage
	deleted  bool
	asked    int // how often it was asked for
}

func store(files []File) (all []*stored) {
	for _, f := range files {
		all = append(all, &stored{File: &f, sid: newSID("ME"), key: newSID("")})
	}
	return all
}

// webhook is what became of the call that brings a phone's message to the product.
type webhook struct {
	done    bool
	failure string // empty: it was taken
}

// Send writes a message on a phone: it opens the window and goes to the product.
// The error says that the webhook did not get through; as with Twilio, only the
// listing has the message then.
func (e *Emulator) Send(phone, body string, r Reply) (Message, error) {
	m := &Message{Phone: phone, Inbound: true, Body: body, Quoted: r.Quoted, Button: r.Button, extra: r.Extra}
	m.files = store(r.Files)
	e.mu.Lock()
	e.add(m)
	params := e.inbound(m)
	e.mu.Unlock()
	status, err := e.Post(e.InboundURL(), params)
	if err == nil && status != http.StatusOK && status != http.StatusNoContent {
		err = fmt.Errorf("webhook: answered %d", status)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	m.webhook.done = true
	if err != nil {
		m.webhook.failure = err.Error()
	}
	e.touch(m)
	return *m, err
}

// Tap taps a button of a template; the phone's chat shows what stands on it as an
// answer to the template.
func (e *Emulator) Tap(phone, sid, payload string) (Message, error) {
	e.mu.Lock()
	title := ""
	if m := e.bySID[sid]; m != nil && m.Phone == phone && !m.Inbound {
		for _, b := range m.Buttons() {
			if b.Payload == payload {
				title = b.Title
			}
		}
	}
	e.mu.Unlock()
	if title == "" {
		return Message{}, errors.New("no such button")
	}
	return e.Send(phone, title, Reply{Quoted: sid, Button: payload})
}

// Lose writes a message on a phone whose webhook never arrives.
func (e *Emulator) Lose(phone, body string, files ...File) Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.add(&Message{Phone: phone, Inbound: true, Body: body, files: store(files), webhook: webhook{done: true, failure: "webhook: lost"}})
	return *m
}

// Read does what opening the chat on the phone does: everything that has arrived
// is read, and the product is told.
func (e *Emulator) Read(phone string) {
	e.mu.Lock()
	var unread []string
	for _, m := range e.messages {
		if m.Phone == phone && !m.Inbound && m.Status == "delivered" {
			unread = append(unread, m.SID)
		}
	}
	e.mu.Unlock()
	for _, sid := range unread {
		e.step(sid, "read", 0)
	}
}

// Params gives the parameters of the webhook that brought a message, for replays.
func (e *Emulator) Params(sid string) (url.Values, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.bySID[sid]
	if m == nil || !m.Inbound {
		return nil, errors.New("no such incoming message")
	}
	return e.inbound(m), nil
}

// inbound are the parameters of
// https://www.twilio.com/docs/messaging/guides/webhook-request. The lock is held.
func (e *Emulator) inbound(m *Message) url.Values {
	digits := strings.TrimPrefix(m.Phone, "+")
	p := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "SmsMessageSid": {m.SID}, "AccountSid": {e.cfg.AccountSID}, "ApiVersion": {"2010-04-01"},
		"From": {"whatsapp:" + m.Phone}, "To": {e.cfg.From}, "Body": {m.Body}, "NumSegments": {"1"}, "SmsStatus": {"received"},
		"NumMedia": {fmt.Sprint(len(m.files))}, "ReferralNumMedia": {"0"}, "WaId": {digits}, "MessageType": {"text"}, "ProfileName": {e.name(m.Phone)},
	}
	if m.Quoted != "" {
		p.Set("OriginalRepliedMessageSid", m.Quoted)
		p.Set("OriginalRepliedMessageSender", e.cfg.From)
		if q := e.bySID[m.Quoted]; q != nil && q.Inbound {
			p.Set("OriginalRepliedMessageSender", "whatsapp:"+q.Phone)
		}
	}
	if m.Button != "" {
		p.Set("ButtonPayload", m.Button)
		p.Set("ButtonText", m.Body)
		p.Set("ButtonType", "REPLY")
		p.Set("MessageType", "button")
	}
	for i, f := range m.files {
		p.Set(fmt.Sprintf("MediaUrl%d", i), e.fileURL(m, f))
		p.Set(fmt.Sprintf("MediaContentType%d", i), f.Type)
		kind, _, _ := strings.Cut(f.Type, "/")
		p.Set("MessageType", kind)
	}
	for name, values := range m.extra {
		p[name] = values
	}
	return p
}

func (e *Emulator) name(phone string) string {
	for _, p := range e.cfg.Phones {
		if p.Number == phone {
			return p.Name
		}
	}
	return phone
}
