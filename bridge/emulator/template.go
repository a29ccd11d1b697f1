package emulator

import (
	"slices"
	"strings"
)

// Button is a quick reply under a template
// (https://www.twilio.com/docs/content/twilio-quick-reply).
type Button struct {
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// The account's approved template: it wakes an agent whose window is closed. {{1}}
// is the number of the request.
const templateText = "Customer question {{1}} is waiting for you. Tap Show to read it."

var templateButtons = []Button{{"Show", "show:{{1}}"}, {"Not me", "pass:{{1}}"}}

// approved reports whether WhatsApp lets a template through.
func (e *Emulator) approved(sid string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return sid == e.cfg.Template || slices.ContainsFunc(e.contents, func(c *content) bool { return c.SID == sid && c.state == "approved" })
}

// Text is what stands on the phone.
func (m Message) Text() string {
	switch {
	case m.got != nil && !strings.HasPrefix(m.got.Type, "image/"):
		return "" // WhatsApp drops the words beside anything but a picture
	case m.Template == "":
		return m.Body
	}
	return m.fill(templateText)
}

// Buttons are those under the message, with what they send.
func (m Message) Buttons() []Button {
	if m.Template == "" {
		return nil
	}
	var out []Button
	for _, b := range templateButtons {
		out = append(out, Button{b.Title, m.fill(b.Payload)})
	}
	return out
}

func (m Message) fill(s string) string {
	var pairs []string
	for name, value := range m.Variables {
		pairs = append(pairs, "{{"+name+"}}", value)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}
