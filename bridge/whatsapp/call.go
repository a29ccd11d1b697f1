package whatsapp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 8 << 20

// maxRetryAfter bounds what we believe of a Retry-After header.
const maxRetryAfter = time.Hour

// call is one call of twilio-go, which knows no context
// (https://github.com/twilio/twilio-go/issues/255) and forgets headers: as the
// transport of the call it brings in the one and notes the others.
type call struct {
	c          *Client
	ctx        context.Context
	end        context.CancelFunc
	connected  atomic.Bool // there was a connection: the request may have left
	status     int
	retryAfter time.Duration
}

func (c *Client) call(ctx context.Context) *call {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	return &call{c: c, ctx: ctx, end: cancel}
}

// api makes twilio-go's service for this call. The handler is made by hand, as
// its constructor lets TWILIO_EDGE and TWILIO_REGION change the host.
func (k *call) api() *api.ApiService {
	client := &twilio.Client{
		Credentials: k.c.credentials(),
		HTTPClient: &http.Client{
			Transport:     k,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	client.SetAccountSid(k.c.cfg.AccountSID)
	return api.NewApiService(&twilio.RequestHandler{Client: client})
}

// RoundTrip sends a request to the configured base whatever its address says, so
// that credentials go nowhere else.
func (k *call) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { k.connected.Store(true) }}
	r = r.Clone(httptrace.WithClientTrace(k.ctx, trace))
	r.URL.Scheme, r.URL.Host, r.Host = k.c.twilio.Scheme, k.c.twilio.Host, ""
	r.URL.Path, r.URL.RawPath = k.c.twilio.Path+r.URL.Path, ""
	k.status, k.retryAfter = 0, 0
	resp, err := k.c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	k.status = resp.StatusCode
	k.retryAfter = retryAfter(resp.Header.Get("Retry-After"), k.c.cfg.Now())
	resp.Body = limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

type limited struct {
	io.Reader
	io.Closer
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(h string, now time.Time) time.Duration {
	var d time.Duration
	if s, err := strconv.Atoi(strings.TrimSpace(h)); err == nil {
		d = time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(h); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// What a failure without a word from Twilio leaves open.
const (
	outcomeNothing = Retry   // reading changes nothing: try again
	outcomeUnknown = Unknown // the message may have been taken
)

// error says what a failed call means. Addresses hold phone numbers, so the
// address that net/http puts into its errors is taken off.
func (k *call) error(op string, err error, unclear Class) *Error {
	var rest *twilio.TwilioRestError
	if errors.As(err, &rest) {
		e := Classify(rest.Code, max(k.status, rest.Status), rest.Message)
		e.Op, e.RetryAfter = op, k.retryAfter
		if e.Class == Unknown {
			e.Class = unclear
		}
		return e
	}
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	e := &Error{Op: op, HTTPStatus: k.status, RetryAfter: k.retryAfter, cause: err}
	switch {
	case k.status >= 400:
		e.Class, e.Message = byStatus(k.status)
	case !k.connected.Load():
		e.Class, e.Message = Retry, "Twilio cannot be reached"
	default:
		e.Class, e.Message = Unknown, "Twilio's answer was lost or cannot be read"
	}
	if e.Class == Unknown {
		e.Class = unclear
	}
	return e
}
