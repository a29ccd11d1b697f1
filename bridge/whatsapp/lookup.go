package whatsapp

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// Limits of one look-up or listing.
const (
	clockSlack  = time.Minute // between Twilio's clock and ours
	recentLimit = 20          // messages looked at without a date
	datedLimit  = 200         // messages looked at with one
	noLimit     = 0
	pageSize    = 200
)

var messageSID = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}$`)

// Fetch asks for the state of a message that we sent. A message that Twilio does
// not know is an error of class Permanent.
func (c *Client) Fetch(ctx context.Context, sid string) (Status, error) {
	if !messageSID.MatchString(sid) {
		return Status{}, &Error{Op: "fetch message", Class: Permanent, Message: "that is no id of a message"}
	}
	call := c.call(ctx)
	defer call.end()
	m, err := call.api().FetchMessage(sid, &api.FetchMessageParams{})
	if err != nil {
		e := call.error("fetch message", err, outcomeNothing)
		if e.HTTPStatus == http.StatusNotFound {
			e.Class, e.Message = Permanent, "Twilio has no such message"
		}
		return Status{}, e
	}
	s := Status{MessageSID: text(m.Sid), AccountSID: text(m.AccountSid), Status: text(m.Status)}
	if m.ErrorCode != nil {
		s.ErrorCode = *m.ErrorCode
	}
	return s, nil
}

// Sent is a message of ours as Twilio keeps it.
type Sent struct {
	SID, Status, Body string
	Created           time.Time // to the second
}

// Lookup answers whether a message whose outcome is unknown was taken: a message
// from us to this phone, with exactly this body, made at `since` or later. Two
// messages may say the same: `known` (nil: none) tells which ids belong to others.
// Twilio takes some seconds to list a message; not found soon after is no proof.
func (c *Client) Lookup(ctx context.Context, to, body string, since time.Time, known func(sid string) bool) (sid string, found bool, err error) {
	s, err := c.Find(ctx, to, since, func(s Sent) bool {
		return s.Body == body && (known == nil || !known(s.SID))
	})
	if err != nil || s == nil {
		return "", false, err
	}
	return s.SID, true, nil
}

// Find gives the oldest message from us to a phone that matches, made at `since`
// (less a minute for the clocks) or later; nil if there is none. Messages that
// were not sent yet have no date for Twilio's filter to see, hence two listings.
func (c *Client) Find(ctx context.Context, to string, since time.Time, match func(Sent) bool) (*Sent, error) {
	since = since.Add(-clockSlack).Truncate(time.Second)
	var best *Sent
	for _, dated := range []bool{false, true} {
		p := &api.ListMessageParams{}
		p.SetTo(Address(to))
		if from := c.cfg.sender(); from != "" {
			p.SetFrom(from)
		}
		limit := recentLimit
		if dated {
			p.SetDateSentAfter(since.UTC())
			limit = datedLimit
		}
		all, err := c.list(ctx, "look up message", p, limit, nil)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			s := Sent{SID: text(m.Sid), Status: text(m.Status), Body: text(m.Body), Created: date(m.DateCreated)}
			if s.SID == "" || strings.HasPrefix(text(m.Direction), "inbound") || s.Created.Before(since) || !match(s) {
				continue
			}
			if best == nil || s.Created.Before(best.Created) {
				best = &s
			}
		}
		if best != nil {
			return best, nil
		}
	}
	return nil, nil
}

// Missed lists what came in between two times (until zero: up to now), all of it,
// oldest first (Twilio lists the newest first, and tells the time to the second):
// what Twilio could not deliver to us is found there (the caller knows which it
// has). Quotes, buttons and names are not listed; of media only the number is, see
// Media.
func (c *Client) Missed(ctx context.Context, since, until time.Time) (all []Inbound, err error) {
	p := &api.ListMessageParams{}
	if from := c.cfg.sender(); from != "" {
		p.SetTo(from)
	}
	p.SetDateSentAfter(since.UTC())
	if !until.IsZero() {
		p.SetDateSentBefore(until.UTC())
	}
	listed, err := c.list(ctx, "list messages", p, noLimit, func(m api.ApiV2010Message) bool {
		return strings.HasPrefix(text(m.Direction), "inbound") && strings.HasPrefix(text(m.To), "whatsapp:")
	})
	if err != nil {
		return nil, err
	}
	for _, m := range slices.Backward(listed) {
		media, _ := strconv.Atoi(text(m.NumMedia))
		all = append(all, Inbound{
			MessageSID:     text(m.Sid),
			AccountSID:     text(m.AccountSid),
			From:           phone(text(m.From)),
			ExternalUserID: userID(text(m.From)),
			To:             phone(text(m.To)),
			Body:           noNUL(text(m.Body)),
			NumMedia:       media,
			Listed:         true,
			Sent:           date(m.DateSent),
		})
	}
	slices.SortStableFunc(all, func(a, b Inbound) int { return a.Sent.Compare(b.Sent) })
	return all, nil
}

// Media lists the files of a message.
func (c *Client) Media(ctx context.Context, sid string) ([]Media, error) {
	if !messageSID.MatchString(sid) {
		return nil, &Error{Op: "list media", Class: Permanent, Message: "that is no id of a message"}
	}
	call := c.call(ctx)
	defer call.end()
	p := &api.ListMediaParams{}
	p.SetLimit(maxMedia)
	listed, err := call.api().ListMedia(sid, p)
	if err != nil {
		return nil, call.error("list media", err, outcomeNothing)
	}
	var all []Media
	for _, m := range listed {
		all = append(all, Media{URL: c.twilio.String() + strings.TrimSuffix(text(m.Uri), ".json"), Type: text(m.ContentType)})
	}
	return all, nil
}

// list brings at most limit messages (noLimit: all there are), newest first, page by
// page, and keeps those that are wanted (nil: all). It does not use twilio-go's
// ListMessage, which takes an answer that is no list for an empty one: a message
// that was sent would count as not sent.
func (c *Client) list(ctx context.Context, op string, p *api.ListMessageParams, limit int, wanted func(api.ApiV2010Message) bool) ([]api.ApiV2010Message, error) {
	p.SetPageSize(pageSize)
	if limit != noLimit {
		p.SetPageSize(min(limit, pageSize))
	}
	var all []api.ApiV2010Message
	token, number := "", ""
	for {
		page, err := c.page(ctx, op, p, token, number)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Messages {
			if wanted == nil || wanted(m) {
				all = append(all, m)
			}
		}
		if limit != noLimit && len(all) >= limit {
			return all[:limit], nil
		}
		next, err := url.Parse(text(page.NextPageUri))
		if err != nil || next.RawQuery == "" || len(page.Messages) == 0 {
			return all, nil
		}
		q := next.Query()
		if q.Get("PageToken") == token && q.Get("Page") == number {
			return nil, &Error{Op: op, Class: Retry, Message: "the listing does not end"}
		}
		token, number = q.Get("PageToken"), q.Get("Page")
	}
}

func (c *Client) page(ctx context.Context, op string, p *api.ListMessageParams, token, number string) (*api.ListMessageResponse, error) {
	call := c.call(ctx)
	defer call.end()
	page, err := call.api().PageMessage(p, token, number)
	if err == nil && page.Messages == nil {
		err = errors.New("the answer is no list")
	}
	if err != nil {
		return nil, call.error(op, err, outcomeNothing)
	}
	return page, nil
}

// date reads Twilio's dates (RFC 2822); zero where there is none.
func date(s *string) time.Time {
	t, err := mail.ParseDate(text(s))
	if err != nil {
		return time.Time{}
	}
	return t
}
