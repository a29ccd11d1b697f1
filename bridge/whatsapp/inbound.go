package whatsapp

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxMedia bounds the files of one message; WhatsApp sends one each.
const maxMedia = 10

// Inbound is a message that somebody sent to us
// (https://www.twilio.com/docs/messaging/guides/webhook-request).
type Inbound struct {
	MessageSID     string // the same in every repetition
	AccountSID     string
	From           string    // E.164; empty where the person hides the number
	ExternalUserID string    // business-scoped user id, "US.1349…"; empty where not given
	To             string    // our number, E.164
	Body           string    // at most 1600 characters, without NUL
	NumMedia       int       //
	Media          []Media   //
	ButtonPayload  string    // id of the button tapped, or of the list row chosen
	ButtonText     string    // what stands on it
	Quoted         string    // id of the message that this one answers to
	Type           string    // undocumented: text, image, button, interactive, location, …
	Location       *Location // nil: none
	OptOut         string    // STOP, START or HELP, where Twilio has dealt with it
	ProfileName    string    // the name the person chose; anybody can choose any
	Listed         bool      // found by Missed: quote, button, name and media are not known
	Sent           time.Time // only when Listed
	Came           time.Time // when its webhook came; zero when Listed
	Signature      string    `json:"-"` // of the webhook; the same in every repetition, in whatever form

	Raw url.Values // the request as it came, without NUL; nil when Listed
}

// Media is one file; getting it takes the account's credentials.
type Media struct{ URL, Type string }

// Location is a place that somebody shared.
type Location struct{ Latitude, Longitude, Address, Label string }

// Empty tells that a message says nothing that we can carry, such as a reaction.
func (in *Inbound) Empty() bool {
	return strings.TrimSpace(in.Body) == "" && in.NumMedia == 0 && len(in.Media) == 0 && in.ButtonPayload == "" && in.ButtonText == "" && in.Location == nil
}

var errNoSID = errors.New("webhook: MessageSid is missing")

// ParseInbound reads the form of an incoming message. Parameters that we do not
// know are kept in Raw: Twilio adds some without notice.
func ParseInbound(form url.Values) (Inbound, error) {
	form = cleanForm(form)
	in := Inbound{
		MessageSID:     first(form, "MessageSid", "SmsMessageSid", "SmsSid"),
		AccountSID:     form.Get("AccountSid"),
		From:           phone(form.Get("From")),
		ExternalUserID: userID(first(form, "ExternalUserId", "From")),
		To:             phone(form.Get("To")),
		Body:           form.Get("Body"),
		ButtonPayload:  first(form, "ListId", "ButtonPayload"),
		ButtonText:     first(form, "ListTitle", "ButtonText"),
		Quoted:         form.Get("OriginalRepliedMessageSid"),
		Type:           form.Get("MessageType"),
		OptOut:         form.Get("OptOutType"),
		ProfileName:    form.Get("ProfileName"),
		Raw:            form,
	}
	in.NumMedia, _ = strconv.Atoi(form.Get("NumMedia"))
	for i := range maxMedia {
		n := strconv.Itoa(i)
		if form.Get("MediaUrl"+n) == "" {
			break
		}
		in.Media = append(in.Media, Media{URL: form.Get("MediaUrl" + n), Type: form.Get("MediaContentType" + n)})
	}
	if form.Get("Latitude") != "" {
		in.Location = &Location{form.Get("Latitude"), form.Get("Longitude"), form.Get("Address"), form.Get("Label")}
	}
	if in.MessageSID == "" {
		return in, errNoSID
	}
	return in, nil
}

// first gives the first of the parameters that is not empty.
func first(form url.Values, names ...string) string {
	for _, n := range names {
		if v := form.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// cleanForm copies a form without NUL and broken UTF-8: PostgreSQL stores neither.
func cleanForm(form url.Values) url.Values {
	clean := make(url.Values, len(form))
	for k, vs := range form {
		k = noNUL(k)
		for _, v := range vs {
			clean[k] = append(clean[k], noNUL(v))
		}
	}
	return clean
}

func noNUL(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// phone gives the number of an address in E.164; empty if it is none.
func phone(address string) string {
	n := strings.TrimPrefix(address, "whatsapp:")
	if !e164.MatchString(n) {
		return ""
	}
	return n
}

// businessScoped is a country, a dot and letters or digits; of a parent account
// "US.ENT." and the rest.
var businessScoped = regexp.MustCompile(`^[A-Z]{2}\.[0-9A-Za-z.]{1,128}$`)

// userID gives the business-scoped user id of an address; empty if it is none.
func userID(address string) string {
	id := strings.TrimPrefix(address, "whatsapp:")
	if !businessScoped.MatchString(id) {
		return ""
	}
	return id
}
