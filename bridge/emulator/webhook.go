package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Sign makes X-Twilio-Signature: HMAC-SHA1 over the address and the sorted
// parameters, each name followed by its values, repeated values once and sorted
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
func Sign(token, address string, params url.Values) string {
	address, _, _ = strings.Cut(address, "#")
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address)
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(params[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			_, _ = io.WriteString(mac, name+v)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Post sends a webhook to an address below the public one, signed for it; it
// gives the HTTP status.
func (e *Emulator) Post(address string, params url.Values) (int, error) {
	return e.PostSigned(address, params, Sign(e.cfg.AuthToken, address, params))
}

// PostSigned is Post with a signature of the caller's choice; "" sends none.
func (e *Emulator) PostSigned(address string, params url.Values, signature string) (int, error) {
	address, _, _ = strings.Cut(address, "#")
	rest, ok := strings.CutPrefix(address, e.cfg.Public)
	if !ok {
		return 0, fmt.Errorf("webhook: %s is not below %s", address, e.cfg.Public)
	}
	req, err := http.NewRequestWithContext(e.ctx, http.MethodPost, e.cfg.Deliver+rest, strings.NewReader(params.Encode()))
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", err)
	}
	if u, err := url.Parse(e.cfg.Public); err == nil {
		req.Host = u.Host
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("I-Twilio-Idempotency-Token", newSID(""))
	if signature != "" {
		req.Header.Set("X-Twilio-Signature", signature)
	}
	res, err := e.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, nil
}

// InboundURL is where messages from phones go.
func (e *Emulator) InboundURL() string { return e.cfg.Public + "/_lanekeeper/twilio/inbound" }

// Reply says how a phone answers.
type Reply struct {
	Quoted string // sid of the message that is quoted
	Button string // payload of the button tapped; Body is what stands on it
}

// Send writes a message on a phone: it opens the window and goes to the product.
// The error says that the webhook did not get through; as with Twilio, only the
// listing has the message then.
func (e *Emulator) Send(phone, body string, r Reply) (Message, error) {
	e.mu.Lock()
	m := e.add(&Message{Phone: phone, Inbound: true, Body: body, Quoted: r.Quoted, Button: r.Button, Status: "received"})
	e.window[phone] = m.At
	params, sent := e.inbound(m), *m
	e.mu.Unlock()
	status, err := e.Post(e.InboundURL(), params)
	if err == nil && status != http.StatusOK && status != http.StatusNoContent {
		err = fmt.Errorf("webhook: answered %d", status)
	}
	return sent, err
}

// Lose writes a message on a phone whose webhook never arrives.
func (e *Emulator) Lose(phone, body string) Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.add(&Message{Phone: phone, Inbound: true, Body: body, Status: "received"})
	e.window[phone] = m.At
	return *m
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
	p := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "SmsMessageSid": {m.SID}, "AccountSid": {e.cfg.AccountSID}, "ApiVersion": {"2010-04-01"},
		"From": {"whatsapp:" + m.Phone}, "To": {e.cfg.From}, "Body": {m.Body}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"SmsStatus": {"received"}, "WaId": {strings.TrimPrefix(m.Phone, "+")}, "MessageType": {"text"}, "ProfileName": {e.name(m.Phone)},
	}
	if m.Quoted != "" {
		p.Set("OriginalRepliedMessageSid", m.Quoted)
		p.Set("OriginalRepliedMessageSender", e.cfg.From)
	}
	if m.Button != "" {
		p.Set("ButtonPayload", m.Button)
		p.Set("ButtonText", m.Body)
		p.Set("ButtonType", "REPLY")
		p.Set("MessageType", "button")
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

// progress reports what becomes of a message that was taken.
func (e *Emulator) progress(m *Message) {
	e.mu.Lock()
	quiet, open, shown := e.quiet, m.Template != "" || e.openFor(m.Phone) > 0, e.shown[m.Phone]
	e.mu.Unlock()
	if quiet {
		return
	}
	if !open {
		e.Report(m.SID, "failed", 63016)
		return
	}
	for _, status := range []string{"sent", "delivered"} {
		e.Report(m.SID, status, 0)
	}
	if shown {
		e.Report(m.SID, "read", 0)
	}
}

// Report sends a status callback, in whatever order the caller likes; it gives the
// HTTP status, 0 if nobody answered or nobody wants to know.
func (e *Emulator) Report(sid, status string, code int) int {
	e.mu.Lock()
	m := e.bySID[sid]
	if m == nil {
		e.mu.Unlock()
		return 0
	}
	m.Status, m.ErrorCode = status, code
	m.reported = append(m.reported, status)
	callback, params := m.callback, e.status(m)
	e.touch()
	e.mu.Unlock()
	if callback == "" {
		return 0
	}
	answer, _ := e.Post(callback, params)
	return answer
}

// status are the parameters of
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.
func (e *Emulator) status(m *Message) url.Values {
	p := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "MessageStatus": {m.Status}, "SmsStatus": {m.Status}, "AccountSid": {e.cfg.AccountSID},
		"To": {"whatsapp:" + m.Phone}, "From": {e.cfg.From}, "ApiVersion": {"2010-04-01"}, "ChannelPrefix": {"whatsapp"},
		"ChannelInstallSid": {"XE" + strings.Repeat("0", 32)},
	}
	if m.service != "" {
		p.Set("MessagingServiceSid", m.service)
	}
	if m.ErrorCode != 0 {
		p.Set("ErrorCode", strconv.Itoa(m.ErrorCode))
		p.Set("ChannelStatusMessage", strconv.Itoa(m.ErrorCode))
		p.Set("EventType", "UNDELIVERED")
	}
	if m.Status == "read" {
		p.Set("EventType", "READ")
	}
	return p
}
