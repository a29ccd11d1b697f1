package lab

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/whatsapp"
)

// The agents who answer on WhatsApp, by their numbers.
const (
	Dana = "+4915100000001"
	Eli  = "+4915100000002"
)

var agents = []emulator.Phone{{Number: Dana, Name: "Dana"}, {Number: Eli, Name: "Eli"}}

// The account that the bridge sends through.
const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	authToken  = "0123456789abcdef0123456789abcdef"
	sender     = "whatsapp:+14155238886"
	template   = "HX0123456789abcdef0123456789abcdef"
)

// Phones are the agents' phones, with Twilio's stand-in between them and the bridge. What happens on them shows at the
// embedded Emulator, faults included.
type Phones struct {
	*emulator.Emulator

	URL      string // of Twilio's API, as the bridge knows it
	contract *contract

	t T
}

// startPhones starts the stand-in for a bridge that is about to start, and gives the bridge's config for it. There is no pace:
// tests would only wait for it.
func startPhones(t T, b *Bridge, hold bool) (*Phones, string) {
	t.Helper()
	e := emulator.New(t.Context(), emulator.Config{
		AccountSID: accountSID, AuthToken: authToken, From: sender, Template: template,
		Public: PublicAddress, Deliver: b.URL, Phones: agents,
	})
	p := &Phones{Emulator: e, t: t}
	api := e.Handler()
	if hold {
		api, p.contract = underContract(t, api)
	}
	server := httptest.NewServer(api)
	p.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		e.Close()
		if t.Failed() {
			for _, a := range agents {
				t.Logf("%s's phone:\n%s", a.Name, chat(e.Messages(a.Number)))
			}
		}
	})
	config := fmt.Sprintf("enabled: true\naccount_sid: %s\nauth_token: %s\nfrom: %q\ntemplate_sid: %s\napi_base_url: %s\npace: {burst: 1000, every: 10ms}\nagents:\n",
		accountSID, authToken, sender, template, server.URL)
	for _, a := range agents {
		config += fmt.Sprintf("  - {number: %q, name: %s}\n", a.Number, a.Name)
	}
	return p, config
}

// open lets every agent write first, as WhatsApp requires before free text may be sent to them.
func (p *Phones) open() {
	p.t.Helper()
	for _, a := range agents {
		p.Write(a.Number, "?")
		p.WaitSent(a.Number, "an answer to ?")
	}
}

// Write writes a message on a phone.
func (p *Phones) Write(phone, text string) emulator.Message {
	p.t.Helper()
	return p.Answer(phone, text, emulator.Reply{})
}

// Answer is Write as a reply to a message, or with a button. While the bridge is away the webhook is repeated, as Twilio does
// it for addresses that end in #rc=5&rp=all.
func (p *Phones) Answer(phone, text string, r emulator.Reply) emulator.Message {
	p.t.Helper()
	m, err := p.Send(phone, text, r)
	ctx, cancel := context.WithTimeout(p.t.Context(), Patience)
	defer cancel()
	for err != nil {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			p.t.Fatalf("what %s wrote does not get through: %v", phone, err)
		}
		err = p.repeat(m.SID)
	}
	return m
}

// repeat posts the webhook of a message once more.
func (p *Phones) repeat(sid string) error {
	params, err := p.Params(sid)
	if err != nil {
		return err
	}
	status, err := p.Post(p.InboundURL(), params)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the webhook answered %d", status)
	}
	return err
}

// Sent is what the bridge sent to a phone ("": to all), oldest first.
func (p *Phones) Sent(phone string) []emulator.Message {
	return sentTo(phone, p.Messages(phone))
}

func sentTo(phone string, messages []emulator.Message) (sent []emulator.Message) {
	for _, m := range messages {
		if !m.Inbound && (phone == "" || m.Phone == phone) {
			sent = append(sent, m)
		}
	}
	return sent
}

// WaitSent waits until the bridge has sent a message with all these words to a phone, and gives the first one.
func (p *Phones) WaitSent(phone, what string, words ...string) (found emulator.Message) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), Patience)
	defer cancel()
	if !p.Wait(ctx, func(all []emulator.Message) bool {
		for _, m := range sentTo(phone, all) {
			if containsAll(m.Body, words) {
				found = m
				return true
			}
		}
		return false
	}) {
		p.t.Fatalf("%s did not get %s; on the phone: %q", phone, what, bodies(p.Sent(phone)))
	}
	return found
}

// WaitDelivered waits until a message that was sent is delivered: nobody can quote it before. The bridge has then heard of it
// from Twilio, too.
func (p *Phones) WaitDelivered(m emulator.Message) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), Patience)
	defer cancel()
	if !p.Wait(ctx, func([]emulator.Message) bool { return slices.Contains(p.Reported(m.SID), "delivered") }) {
		p.t.Fatalf("%q is not delivered to %s", m.Body, m.Phone)
	}
}

// WaitAfter waits until a phone got more than n messages, and gives the next one.
func (p *Phones) WaitAfter(phone, what string, n int) emulator.Message {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), Patience)
	defer cancel()
	if !p.Wait(ctx, func(all []emulator.Message) bool { return len(sentTo(phone, all)) > n }) {
		p.t.Fatalf("%s did not get %s; on the phone: %q", phone, what, bodies(p.Sent(phone)))
	}
	return p.Sent(phone)[n]
}

// Count is how many messages with these words the bridge sent to a phone.
func (p *Phones) Count(phone, words string) (n int) {
	for _, m := range p.Sent(phone) {
		if strings.Contains(m.Body, words) {
			n++
		}
	}
	return n
}

func containsAll(body string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(body, w) {
			return false
		}
	}
	return true
}

// chat is what stands on a phone, a line for each message, with the end of its sid.
func chat(messages []emulator.Message) string {
	var lines strings.Builder
	for _, m := range messages {
		arrow, quoted := "←", ""
		if m.Inbound {
			arrow = "→"
		}
		if m.Quoted != "" {
			quoted = " (quotes …" + m.Quoted[len(m.Quoted)-4:] + ")"
		}
		fmt.Fprintf(&lines, "%s %s …%s %s%s %q\n", m.At.Format("15:04:05.000"), arrow, m.SID[len(m.SID)-4:], m.Status, quoted, m.Body)
	}
	return lines.String()
}

func bodies(messages []emulator.Message) (all []string) {
	for _, m := range messages {
		all = append(all, m.Body)
	}
	return all
}

// Client is the config of a client for the same account, beside the bridge.
func (p *Phones) Client() whatsapp.Config {
	return whatsapp.Config{AccountSID: accountSID, AuthToken: authToken, From: sender, TemplateSID: template, APIBaseURL: p.URL, PublicAddress: PublicAddress}
}
