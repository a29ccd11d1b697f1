package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// contentAPI is where templates are kept
// (https://www.twilio.com/docs/content/content-api-resources). An emulator has them
// at its own address.
const contentAPI = "https://content.twilio.com"

// maxTemplatePages bounds how far a template is looked for, in pages of 500.
const maxTemplatePages = 20

// Template is a text that WhatsApp approves beforehand, as Twilio keeps it.
type Template struct {
	SID    string // HX…; empty: there is none
	Name   string // friendly name, and the name for WhatsApp
	State  string // unsubmitted, received, pending, approved, rejected, paused, disabled
	Reason string // why it was rejected, in WhatsApp's words
}

// Approved tells whether WhatsApp lets it through.
func (t Template) Approved() bool { return t.State == "approved" }

// WakeText is what the template says that Wake sends; {{1}} is the number of the
// question. Its buttons send what the relay understands.
const WakeText = "Customer question {{1}} is waiting for you. Tap Show to read it."

// wake is that template as the Content API takes it
// (https://www.twilio.com/docs/content/twilio-quick-reply).
func wake(name, language string) map[string]any {
	button := func(title, id string) map[string]string {
		return map[string]string{"type": "QUICK_REPLY", "title": title, "id": id}
	}
	return map[string]any{
		"friendly_name": name, "language": language, "variables": map[string]string{"1": "12"},
		"types": map[string]any{"twilio/quick-reply": map[string]any{
			"body": WakeText, "actions": []any{button("Show", "show:{{1}}"), button("Not me", "pass:{{1}}")},
		}},
	}
}

// FindTemplate looks for the newest template of that name; its SID is empty if
// there is none.
func (c *Client) FindTemplate(ctx context.Context, name string) (found Template, err error) {
	var newest time.Time
	next := "/v1/Content?PageSize=500"
	for range maxTemplatePages {
		var page struct {
			Contents []struct {
				SID     string    `json:"sid"`
				Name    string    `json:"friendly_name"`
				Created time.Time `json:"date_created"`
			} `json:"contents"`
			Meta struct {
				Next string `json:"next_page_url"`
			} `json:"meta"`
		}
		if err := c.content(ctx, "list templates", http.MethodGet, next, nil, &page); err != nil {
			return found, err
		}
		for _, t := range page.Contents {
			if t.Name == name && (found.SID == "" || t.Created.After(newest)) {
				found, newest = Template{SID: t.SID, Name: t.Name}, t.Created
			}
		}
		u, err := url.Parse(page.Meta.Next)
		if err != nil || page.Meta.Next == "" {
			break
		}
		next = u.RequestURI() // of the host that we know: credentials go nowhere else
	}
	if found.SID == "" {
		return found, nil
	}
	return c.FetchTemplate(ctx, found.SID)
}

// approval is how far WhatsApp is with a template.
type approval struct {
	Name   string `json:"name"`
	State  string `json:"status"`
	Reason string `json:"rejection_reason"`
}

// FetchTemplate asks how far WhatsApp is with a template.
func (c *Client) FetchTemplate(ctx context.Context, sid string) (Template, error) {
	if !contentSID.MatchString(sid) {
		return Template{}, errors.New("the id of a template is HX and 32 hexadecimal digits")
	}
	var answer struct {
		WhatsApp approval `json:"whatsapp"`
	}
	err := c.content(ctx, "fetch template", http.MethodGet, "/v1/Content/"+sid+"/ApprovalRequests", nil, &answer)
	return template(sid, answer.WhatsApp), err
}

// CreateTemplate makes the one that Wake sends. WhatsApp does not know it then: see
// SubmitTemplate.
func (c *Client) CreateTemplate(ctx context.Context, name, language string) (Template, error) {
	var made struct {
		SID string `json:"sid"`
	}
	if err := c.content(ctx, "create template", http.MethodPost, "/v1/Content", wake(name, language), &made); err != nil {
		return Template{}, err
	}
	if !contentSID.MatchString(made.SID) {
		return Template{}, &Error{Op: "create template", Class: Unknown, Message: "the answer has no sid"}
	}
	return Template{SID: made.SID, Name: name, State: "unsubmitted"}, nil
}

// SubmitTemplate asks WhatsApp to approve a template, as one about a service that
// somebody uses already. Names of rejected ones cannot be used again.
func (c *Client) SubmitTemplate(ctx context.Context, t Template) (Template, error) {
	var answer approval
	err := c.content(ctx, "submit template", http.MethodPost, "/v1/Content/"+t.SID+"/ApprovalRequests/whatsapp", map[string]any{"name": t.Name, "category": "UTILITY"}, &answer)
	return template(t.SID, answer), err
}

func template(sid string, a approval) Template {
	if a.State == "" {
		a.State = "unsubmitted"
	}
	return Template{SID: sid, Name: a.Name, State: a.State, Reason: a.Reason}
}

// content is one request to the Content API, which twilio-go has in a package of
// its own that sends a POST again when it does not understand the answer.
func (c *Client) content(ctx context.Context, op, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var words io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		words = bytes.NewReader(raw)
	}
	base := contentAPI
	if c.twilio.Host != "api.twilio.com" {
		base = c.twilio.String()
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, words)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	who := c.credentials()
	r.SetBasicAuth(who.Username, who.Password)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.transport.RoundTrip(r) // no redirect is followed
	if err != nil {
		return &Error{Op: op, Class: Retry, Message: "Twilio cannot be reached", cause: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode/100 == 2 {
		err = json.Unmarshal(raw, answer)
	}
	if err != nil {
		return &Error{Op: op, Class: Unknown, HTTPStatus: resp.StatusCode, Message: "Twilio's answer was lost or cannot be read", cause: err}
	}
	if resp.StatusCode/100 == 2 {
		return nil
	}
	var refused struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(raw, &refused) // a page of a proxy is none
	e := Classify(refused.Code, resp.StatusCode, refused.Message)
	if e.Op = op; e.Class == Permanent {
		e.Message = "Twilio refused it: " + blankNumbers(refused.Message)
	}
	return e
}
