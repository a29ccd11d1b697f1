package whatsapp

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Class says what to do about a failure.
type Class string

const (
	Window    Class = "window"    // the 24-hour window is closed: template, then the text again; never retry as it is
	Retry     Class = "retry"     // not sent: try again later, nothing can be doubled
	Unknown   Class = "unknown"   // may have been sent: look it up, then retry once
	Content   Class = "content"   // not sent because of what it holds: see Remedy
	Recipient Class = "recipient" // this phone cannot be reached until it writes to us
	Account   Class = "account"   // nothing can be sent until the operator acts: keep all, probe
	Permanent Class = "permanent" // not sent, no reason known that we could mend: never retry
)

// Remedy says what can be changed in a message of class Content; empty: nothing.
type Remedy string

const (
	Shorter    Remedy = "shorter"     // too long: halve the parts, once
	TextOnly   Remedy = "text_only"   // the file cannot go: send the words, say that the file is in Matrix
	Sanitize   Remedy = "sanitize"    // a template variable holds what it may not
	NoTemplate Remedy = "no_template" // the template cannot be used: alarm, Matrix only
	Drop       Remedy = "drop"        // there is nothing to send
)

// Error is a failure at Twilio, of a request or as a status callback tells it.
// None of its texts holds phone numbers, words of messages or credentials.
type Error struct {
	Op         string // what was tried; empty in callbacks
	Class      Class
	Remedy     Remedy
	Code       int           // Twilio's code; 0: none was given
	HTTPStatus int           // 0: no answer, or a callback
	RetryAfter time.Duration // 0: not said
	Message    string        // what happened, for people; no full stop
	cause      error
}

func (e *Error) Error() string {
	s := e.Sentence()
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.cause }

// Sentence is what people may read, with the page that explains the code:
// "… (Twilio 63016, https://www.twilio.com/docs/api/errors/63016)".
func (e *Error) Sentence() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("%s (Twilio %d, %s)", e.Message, e.Code, Page(e.Code))
	case e.HTTPStatus >= 300:
		return fmt.Sprintf("%s (HTTP %d)", e.Message, e.HTTPStatus)
	}
	return e.Message
}

// Page is Twilio's page about one of its error codes.
func Page(code int) string { return "https://www.twilio.com/docs/api/errors/" + strconv.Itoa(code) }

// meaning is what we know of a code.
type meaning struct {
	class   Class
	remedy  Remedy
	message string
}

// meanings is the one table of Twilio's codes, by https://www.twilio.com/docs/api/errors
// and, for what Meta says, https://www.twilio.com/docs/whatsapp/api/error-code-mapping.
// A code that is not in it is never retried: codes are added without notice.
var meanings = map[int]meaning{
	63016: {Window, "", "the 24-hour window of this phone is closed"},

	20429: {Retry, "", "Twilio asks us to slow down"},
	63017: {Retry, "", "WhatsApp asks us to slow down"},
	63018: {Retry, "", "WhatsApp's limit for this sender or phone is reached for now"},
	30001: {Retry, "", "Twilio's queue is full"},
	21611: {Retry, "", "Twilio's queue is full"},
	63037: {Retry, "", "WhatsApp is down for the moment"},

	20500: {Unknown, "", "Twilio had an internal error"},
	20503: {Unknown, "", "Twilio is unavailable"},
	63001: {Unknown, "", "WhatsApp could not be reached"},
	63010: {Unknown, "", "WhatsApp had an internal error"},
	63012: {Unknown, "", "WhatsApp had an internal error"},
	63023: {Unknown, "", "WhatsApp had an internal error"},
	30008: {Unknown, "", "the message was not delivered, for an unknown reason"},

	21617: {Content, Shorter, "the text is too long"},
	21658: {Content, Shorter, "the text is too long"},
	63005: {Content, TextOnly, "WhatsApp did not accept the content"},
	63006: {Content, TextOnly, "WhatsApp cannot show the content"},
	63021: {Content, TextOnly, "WhatsApp did not accept the content"},
	63019: {Content, TextOnly, "the file could not be downloaded"},
	21620: {Content, TextOnly, "the file's address is not accepted"},
	12300: {Content, TextOnly, "the file's type is not accepted"},
	63013: {Content, Sanitize, "the words for the template break WhatsApp's rules"},
	63028: {Content, NoTemplate, "the template has another number of variables"},
	21655: {Content, NoTemplate, "template_sid is no template of this account"},
	21656: {Content, NoTemplate, "the template does not accept the variables"},
	63027: {Content, NoTemplate, "the template does not exist for WhatsApp"},
	63029: {Content, NoTemplate, "WhatsApp did not accept the template"},
	63040: {Content, NoTemplate, "the template was rejected"},
	63041: {Content, NoTemplate, "the template is paused"},
	63042: {Content, NoTemplate, "the template was disabled"},
	63030: {Content, "", "a template cannot be sent together with a file"},
	21602: {Content, Drop, "there was nothing to send"},
	14103: {Content, Drop, "there was nothing to send"},

	21211: {Recipient, "", "the number is not valid"},
	21614: {Recipient, "", "the number is not valid"},
	63003: {Recipient, "", "the number has no WhatsApp"},
	63024: {Recipient, "", "the phone cannot receive this message"},
	63014: {Recipient, "", "the phone blocked us"},
	21610: {Recipient, "", "the phone opted out with STOP"},
	63015: {Recipient, "", `the phone must join Twilio's sandbox again: send "join" and the sandbox's words (valid for 3 days)`},
	63032: {Recipient, "", "WhatsApp limits messages to this phone"},
	63049: {Recipient, "", "WhatsApp chose not to deliver this message"},
	63031: {Recipient, "", "the phone is our own sender"},
	21408: {Recipient, "", "the account may not send to this country"},
	21608: {Recipient, "", "a trial account may send to verified numbers only"},

	20003: {Account, "", "Twilio does not accept the credentials"},
	20005: {Account, "", "the Twilio account is not active"},
	20404: {Account, "", "Twilio does not know what was asked for; is account_sid right?"},
	21222: {Account, "", "the credentials hold characters that Twilio does not accept"},
	21224: {Account, "", "the credentials hold characters that Twilio does not accept"},
	21606: {Account, "", "from is no sender of this account"},
	21212: {Account, "", "from is not valid"},
	63007: {Account, "", "from is no WhatsApp sender of this account"},
	63002: {Account, "", "from is no WhatsApp sender of this account"},
	63008: {Account, "", "the WhatsApp sender is not set up correctly"},
	63020: {Account, "", "Meta did not accept the account"},
	63022: {Account, "", "Meta did not accept the sender's name"},
	63051: {Account, "", "the WhatsApp business account is locked"},
	63038: {Account, "", "the account's limit of messages for today is reached"},
	63101: {Account, "", "the WhatsApp business account is restricted"},
}

// Classify says what a code of Twilio means, in the answer to a request
// (httpStatus is its status) or in a status callback (httpStatus 0). What Twilio
// says of a code that we do not know is passed on, with numbers blanked out.
func Classify(code, httpStatus int, twilioSays string) *Error {
	e := &Error{Code: code, HTTPStatus: httpStatus}
	if m, ok := meanings[code]; ok {
		e.Class, e.Remedy, e.Message = m.class, m.remedy, m.message
		return e
	}
	e.Class, e.Message = byStatus(httpStatus)
	if twilioSays != "" {
		e.Message += ": " + blankNumbers(twilioSays)
	}
	return e
}

// byStatus is what an HTTP status alone says.
func byStatus(status int) (Class, string) {
	switch {
	case status == http.StatusTooManyRequests:
		return Retry, "Twilio asks us to slow down"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return Account, "Twilio does not accept the credentials"
	case status == http.StatusNotFound:
		return Account, "Twilio does not know what was asked for; are account_sid and api_base_url right?"
	case status >= 500 || status == http.StatusRequestTimeout:
		return Unknown, "Twilio had an internal error"
	}
	return Permanent, "the message was not delivered"
}

var number = regexp.MustCompile(`\+?[0-9][0-9 ()-]{4,}[0-9]`)

// blankNumbers takes phone numbers from a sentence of Twilio's and bounds it.
func blankNumbers(s string) string {
	s = number.ReplaceAllString(s, "…")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}
