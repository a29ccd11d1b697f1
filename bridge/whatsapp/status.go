package whatsapp

import (
	"net/url"
	"strconv"
)

// Status is news of a message that we sent, from a callback or from Fetch
// (https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks).
// Callbacks come late, twice, in any order, before the answer to the request, or
// not at all.
type Status struct {
	MessageSID string
	AccountSID string
	Ref        string // Message.Ref
	Status     string // queued, sent, delivered, read, failed, undelivered, …
	ErrorCode  int    // 0: none
	To         string // E.164; empty from Fetch
}

// ParseStatus reads the form of a status callback; ref comes from its address.
func ParseStatus(form url.Values, ref string) (Status, error) {
	form = cleanForm(form)
	s := Status{
		MessageSID: first(form, "MessageSid", "SmsSid"),
		AccountSID: form.Get("AccountSid"),
		Ref:        noNUL(ref),
		Status:     first(form, "MessageStatus", "SmsStatus"),
		To:         phone(form.Get("To")),
	}
	s.ErrorCode, _ = strconv.Atoi(form.Get("ErrorCode"))
	if s.MessageSID == "" {
		return s, errNoSID
	}
	return s, nil
}

// StatusUnknown is what we note of a message of which Twilio never told the end.
const StatusUnknown = "unknown"

// Settled tells that nothing more is to be expected of a message: it arrived or
// failed.
func (s Status) Settled() bool { return Rank(s.Status) >= Rank("delivered") }

// Failed tells that the message did not and will not arrive.
func (s Status) Failed() bool { return Rank(s.Status) == failed }

// Err says why a message failed; nil if it did not.
func (s Status) Err() *Error {
	if !s.Failed() {
		return nil
	}
	return Classify(s.ErrorCode, 0, "")
}

const failed = 100

// Rank orders the statuses of an outgoing message: 1 queued, 2 sending, 3 sent,
// 4 delivered, 5 read; 100 for those that say it failed; 0 for any other.
func Rank(status string) int {
	switch status {
	case "accepted", "scheduled", "queued":
		return 1
	case "sending":
		return 2
	case "sent", "partially_delivered":
		return 3
	case "delivered":
		return 4
	case "read":
		return 5
	case "failed", "undelivered", "canceled":
		return failed
	}
	return 0
}

// Merge gives the status that holds after news came, in whatever order: it never
// goes back, a failure is final, and proof that the message arrived beats any
// failure told before or after. It is `old` if the news changes nothing.
func Merge(old, news string) string {
	a, b := Rank(old), Rank(news)
	switch {
	case b == 0 || a == b:
		return old
	case a == failed && b < 4:
		return old
	case b == failed && a >= 4:
		return old
	case a == failed || b == failed || b > a:
		return news
	}
	return old
}
