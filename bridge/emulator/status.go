package emulator

import (
	"net/url"
	"strconv"
	"strings"
)

// progress is what becomes of a message that was taken: free text fails where the
// window is closed, all else arrives, and is read where the chat is open.
func (e *Emulator) progress(m *Message) {
	e.mu.Lock()
	quiet, open := e.quiet, m.Template != "" || e.openFor(m.Phone) > 0
	e.mu.Unlock()
	switch {
	case quiet:
		return
	case !open:
		e.step(m.SID, "failed", 63016)
		return
	}
	if len(m.Media) > 0 {
		f, code := e.fetchMedia(m)
		if code != 0 {
			e.step(m.SID, "failed", code)
			return
		}
		e.arrived(m, f)
	}
	e.step(m.SID, "sent", 0)
	e.step(m.SID, "delivered", 0)
	e.mu.Lock()
	read := e.isShown(m.Phone)
	e.mu.Unlock()
	if read {
		e.step(m.SID, "read", 0)
	}
}

// step is Report for what the emulator does by itself: a status that was reached
// before is not reported again.
func (e *Emulator) step(sid, status string, code int) {
	e.mu.Lock()
	m := e.bySID[sid]
	news := m != nil && rank(status) > rank(m.Status)
	callback, params := "", url.Values(nil)
	if news {
		callback, params = e.become(m, status, code)
	}
	e.mu.Unlock()
	if callback != "" {
		_, _ = e.Post(callback, params)
	}
}

// Report changes the status of a message and sends the callback, in whatever order
// the caller likes; it gives the HTTP status, 0 if nobody answered or nobody wants
// to know.
func (e *Emulator) Report(sid, status string, code int) int {
	callback, params := e.change(sid, status, code)
	if callback == "" {
		return 0
	}
	answer, _ := e.Post(callback, params)
	return answer
}

// Become is Report whose callback is lost.
func (e *Emulator) Become(sid, status string, code int) { e.change(sid, status, code) }

func (e *Emulator) change(sid, status string, code int) (callback string, params url.Values) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.bySID[sid]; m != nil && !m.Inbound {
		return e.become(m, status, code)
	}
	return "", nil
}

// become notes a status, and gives the callback that tells it. The lock is held.
func (e *Emulator) become(m *Message, status string, code int) (callback string, params url.Values) {
	m.reported = append(m.reported, status)
	if rank(status) >= rank(m.Status) {
		m.Status, m.ErrorCode = status, code
	}
	if m.sent.IsZero() && rank(status) >= rank("sent") {
		m.sent = e.cfg.Now()
	}
	e.touch(m)
	return m.callback, e.callback(m, status, code)
}

// rank orders the statuses of a message to a phone: a callback that comes late
// does not change what is true.
func rank(status string) int {
	switch status {
	case "accepted", "queued":
		return 1
	case "sending":
		return 2
	case "sent":
		return 3
	case "failed", "undelivered":
		return 4
	case "delivered":
		return 5
	case "read":
		return 6
	}
	return 0
}

// callback are the parameters of
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.
func (e *Emulator) callback(m *Message, status string, code int) url.Values {
	p := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "MessageStatus": {status}, "SmsStatus": {status}, "AccountSid": {e.cfg.AccountSID},
		"To": {"whatsapp:" + m.Phone}, "From": {e.cfg.From}, "ApiVersion": {"2010-04-01"}, "ChannelPrefix": {"whatsapp"},
		"ChannelInstallSid": {"XE" + strings.Repeat("0", 32)}, "ChannelToAddress": {m.Phone[:max(0, len(m.Phone)-3)] + "XXX"},
	}
	if m.service != "" {
		p.Set("MessagingServiceSid", m.service)
	}
	if code != 0 {
		p.Set("ErrorCode", strconv.Itoa(code))
		p.Set("ChannelStatusMessage", strconv.Itoa(code))
		p.Set("EventType", "UNDELIVERED")
	}
	if status == "read" {
		p.Set("EventType", "READ")
	}
	return p
}
