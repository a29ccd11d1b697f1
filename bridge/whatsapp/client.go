package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// requestTimeout bounds one request with its answer.
const requestTimeout = 10 * time.Second

// Client sends through one Twilio account and checks what comes from it. It may
// be used by several goroutines at once.
type Client struct {
	cfg       Config
	twilio    *url.URL // base of the API
	public    [2]string
	path      string // path of the public address, mostly empty
	transport http.RoundTripper
	timeout   time.Duration
}

// New checks the config. Its errors name the key that is wrong.
func New(cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	public, err := base("public_address", cfg.PublicAddress)
	if err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	if cfg.APIBaseURL == "" {
		cfg.APIBaseURL = "https://api.twilio.com"
	}
	twilioURL, err := base("api_base_url", cfg.APIBaseURL)
	if err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Client{
		cfg:       cfg,
		twilio:    twilioURL,
		public:    [2]string{public.String(), otherPort(public)},
		path:      public.EscapedPath(),
		transport: http.DefaultTransport.(*http.Transport).Clone(),
		timeout:   requestTimeout,
	}, nil
}

// InboundURL is what an operator pastes into Twilio for incoming messages. The
// fragment makes Twilio try five times, for every kind of failure
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
func (c *Client) InboundURL() string { return c.public[0] + InboundPath + "#rc=5&rp=all" }

// StatusURL is what an operator pastes into Twilio for status callbacks.
func (c *Client) StatusURL() string { return c.public[0] + StatusPath }

// HasTemplate tells whether a phone with a closed window can be woken.
func (c *Client) HasTemplate() bool { return c.cfg.TemplateSID != "" }

// FreeFormFor is how long after a phone's last message free text still goes to
// it: WhatsApp's 24 hours, less some minutes for what is on its way
// (https://www.twilio.com/docs/whatsapp/key-concepts).
const FreeFormFor = 23*time.Hour + 50*time.Minute

// Message is one message to one phone: a Body (at most 1600 characters), a
// MediaURL with or without a Body, or a template with its variables. Free text
// and media arrive only within 24 hours of the phone's last message.
type Message struct {
	To         string            // E.164, or a business-scoped user id
	Body       string            //
	MediaURL   string            // public, at most 16 MB (images 5 MB)
	ContentSID string            // template, HX…; then neither Body nor MediaURL
	Variables  map[string]string // of the template; blanks in values are run together (63013)
	Ref        string            // comes back as Status.Ref
}

// Send hands a message to Twilio once. It returns Twilio's id for it and the
// first status ("queued" or "accepted"); nothing is delivered yet. The error is an
// *Error: with class Unknown the message may have been taken, all other classes
// say that it was not.
func (c *Client) Send(ctx context.Context, m Message) (sid, status string, err error) {
	p, err := c.params(m)
	if err != nil {
		return "", "", err
	}
	call := c.call(ctx)
	defer call.end()
	sent, err := call.api().CreateMessage(p)
	if err != nil {
		return "", "", call.error("send message", err, outcomeUnknown)
	}
	if text(sent.Sid) == "" {
		return "", "", call.error("send message", errors.New("the answer has no sid"), outcomeUnknown)
	}
	return text(sent.Sid), text(sent.Status), nil
}

func (c *Client) params(m Message) (*api.CreateMessageParams, error) {
	free := m.Body != "" || m.MediaURL != ""
	if m.To == "" || free == (m.ContentSID != "") {
		return nil, &Error{Op: "send message", Class: Permanent, Message: "a message needs a receiver, and either words and media or a template"}
	}
	p := &api.CreateMessageParams{}
	p.SetTo(Address(m.To))
	if from := c.cfg.sender(); from != "" {
		p.SetFrom(from)
	}
	if c.cfg.MessagingServiceSID != "" {
		p.SetMessagingServiceSid(c.cfg.MessagingServiceSID)
	}
	callback := c.StatusURL()
	if m.Ref != "" {
		callback += "?" + url.Values{"m": {m.Ref}}.Encode()
	}
	p.SetStatusCallback(callback)
	if m.Body != "" {
		p.SetBody(m.Body)
	}
	if m.MediaURL != "" {
		p.SetMediaUrl([]string{m.MediaURL})
	}
	if m.ContentSID != "" {
		p.SetContentSid(m.ContentSID)
		if len(m.Variables) > 0 {
			p.SetContentVariables(variables(m.Variables))
		}
	}
	return p, nil
}

// variables writes a template's variables; Twilio refuses newlines, tabs and
// more than four blanks in a row (https://www.twilio.com/docs/api/errors/63013).
func variables(vars map[string]string) string {
	flat := make(map[string]string, len(vars))
	for k, v := range vars {
		flat[k] = strings.Join(strings.Fields(v), " ")
	}
	b, _ := json.Marshal(flat) // strings can always be written
	return string(b)
}

// Wake sends the template with number as its only variable; see HasTemplate.
func (c *Client) Wake(ctx context.Context, to, number, ref string) (sid, status string, err error) {
	return c.Send(ctx, Message{To: to, ContentSID: c.cfg.TemplateSID, Variables: map[string]string{"1": number}, Ref: ref})
}

// AccountInfo is what doctor shows of the Twilio account.
type AccountInfo struct{ SID, Name, Status, Type string }

// FetchAccount asks for the account; it proves that the credentials are right.
func (c *Client) FetchAccount(ctx context.Context) (AccountInfo, error) {
	call := c.call(ctx)
	defer call.end()
	a, err := call.api().FetchAccount(c.cfg.AccountSID)
	if err != nil {
		return AccountInfo{}, call.error("fetch account", err, outcomeNothing)
	}
	return AccountInfo{SID: text(a.Sid), Name: text(a.FriendlyName), Status: text(a.Status), Type: text(a.Type)}, nil
}

// credentials are those of the API key where there is one.
func (c *Client) credentials() *twilio.Credentials {
	if c.cfg.APIKey != "" {
		return twilio.NewCredentials(c.cfg.APIKey, c.cfg.APISecret)
	}
	return twilio.NewCredentials(c.cfg.AccountSID, c.cfg.AuthToken)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
