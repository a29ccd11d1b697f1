// Package whatsapp speaks with WhatsApp through Twilio: it sends messages, says
// what a failure means, finds messages again whose outcome is unknown, and checks
// and reads Twilio's webhooks. It keeps no state of its own but open connections.
package whatsapp

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Config is one Twilio account and the WhatsApp sender in it.
type Config struct {
	AccountSID          string // AC…
	AuthToken           string // always needed: webhooks are signed with it
	PreviousToken       string // while the token is changed: webhooks signed with it are Twilio's, too
	APIKey, APISecret   string // optional: used for sending in place of the token
	From                string // "whatsapp:+…"
	MessagingServiceSID string // MG…, optional
	TemplateSID         string // HX…, optional: the approved template for a closed window
	APIBaseURL          string // empty: Twilio
	PublicAddress       string // where Twilio reaches us, without a slash at the end

	Now func() time.Time // nil: time.Now; for Retry-After headers that name a date
}

// Paths of the webhooks under PublicAddress.
const (
	InboundPath = "/_lanekeeper/twilio/inbound"
	StatusPath  = "/_lanekeeper/twilio/status"
)

// sandbox is Twilio's shared number for trying out, the default in our config.
// It is never in the pool of a Messaging Service.
const sandbox = "whatsapp:+14155238886"

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	contentSID = regexp.MustCompile(`^HX[0-9a-fA-F]{32}$`)
	credential = regexp.MustCompile(`^[0-9A-Za-z]*$`) // twilio-go refuses all else (21222, 21224)
	e164       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// check names the first thing in the config that cannot work.
func (c *Config) check() error {
	switch {
	case !accountSID.MatchString(c.AccountSID):
		return errors.New("account_sid must be AC and 32 hexadecimal digits")
	case c.AuthToken == "" || !credential.MatchString(c.AuthToken):
		return errors.New("auth_token must be the account's token: letters and digits")
	case !credential.MatchString(c.PreviousToken):
		return errors.New("auth_token_previous may hold letters and digits only")
	case (c.APIKey == "") != (c.APISecret == ""):
		return errors.New("api_key and api_secret must be given together")
	case !credential.MatchString(c.APIKey) || !credential.MatchString(c.APISecret):
		return errors.New("api_key and api_secret may hold letters and digits only")
	case c.From == "" && c.MessagingServiceSID == "":
		return errors.New("from is empty")
	case c.From != "" && !e164.MatchString(strings.TrimPrefix(c.From, "whatsapp:")):
		return errors.New(`from must look like "whatsapp:+14155238886"`)
	case c.TemplateSID != "" && !contentSID.MatchString(c.TemplateSID):
		return errors.New("template_sid must be HX and 32 hexadecimal digits")
	}
	return nil
}

// sender is the From of messages and of listings; empty where the Messaging
// Service chooses.
func (c *Config) sender() string {
	if c.From == "" || c.MessagingServiceSID != "" && c.From == sandbox {
		return ""
	}
	return Address(c.From)
}

// Address makes Twilio's form of a WhatsApp number or business-scoped user id.
func Address(id string) string { return "whatsapp:" + strings.TrimPrefix(id, "whatsapp:") }

// base parses an address that paths are put behind.
func base(name, address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s must be an http or https address without query", name)
	}
	return u, nil
}

// otherPort gives the same address with the standard port spelled out, or
// without its port where it has one.
func otherPort(u *url.URL) string {
	v := *u
	switch {
	case u.Port() != "" && strings.Contains(u.Hostname(), ":"):
		v.Host = "[" + u.Hostname() + "]"
	case u.Port() != "":
		v.Host = u.Hostname()
	case u.Scheme == "https":
		v.Host = net.JoinHostPort(u.Hostname(), "443")
	default:
		v.Host = net.JoinHostPort(u.Hostname(), "80")
	}
	return v.String()
}
