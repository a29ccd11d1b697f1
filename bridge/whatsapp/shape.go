package whatsapp

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Twilio signs parameters without separators ("key1value1key2value2…"), so who has
// seen one request can make another with the same signature in which some keys
// became parts of values. What has a shape is held to it: a value that swallowed a
// key is refused. (What has none, as words have, is bound by the signature itself,
// which counts once: see intake.)
var (
	anyMessageSID = regexp.MustCompile(`^(SM|MM)[0-9a-fA-F]{32}$`)
	address       = regexp.MustCompile(`^(whatsapp:)?(\+[1-9][0-9]{5,14}|[A-Z]{2}\.[0-9A-Za-z.]{1,128})$`)
	digits        = regexp.MustCompile(`^[0-9]{1,20}$`)
	degrees       = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]{1,20})?$`)
	word          = regexp.MustCompile(`^[A-Za-z_-]{1,30}$`)
	version       = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)

	shapes = map[string]*regexp.Regexp{
		"MessageSid": anyMessageSID, "SmsMessageSid": anyMessageSID, "SmsSid": anyMessageSID, "OriginalRepliedMessageSid": anyMessageSID,
		"From": address, "To": address, "ExternalUserId": address, "ParentExternalUserId": address, "OriginalRepliedMessageSender": address,
		"NumMedia": digits, "NumSegments": digits, "ErrorCode": digits, "WaId": regexp.MustCompile(`^[0-9A-Za-z.+]{1,140}$`),
		"MessageStatus": word, "SmsStatus": word, "MessageType": word, "ButtonType": word, "OptOutType": word,
		"Latitude": degrees, "Longitude": degrees, "ApiVersion": version,
	}
)

// shaped refuses a form in which a parameter has another shape than Twilio gives it.
func shaped(form url.Values) error {
	for name, shape := range shapes {
		for _, v := range form[name] {
			if v != "" && !shape.MatchString(v) {
				return fmt.Errorf("webhook: %s has another form than Twilio gives it", name)
			}
		}
	}
	return nil
}

var (
	errNobody  = errors.New("webhook: an incoming message from nobody")
	errNotOurs = errors.New("webhook: an incoming message to another number than whatsapp.from")
)

// ours refuses an incoming message from nobody, or to another number than ours.
func (c *Client) ours(form url.Values) error {
	if form.Get("From") == "" && form.Get("ExternalUserId") == "" {
		return errNobody
	}
	to := strings.TrimPrefix(form.Get("To"), "whatsapp:")
	if c.cfg.From != "" && !SameNumber(c.cfg.From, to) {
		return errNotOurs
	}
	return nil
}
