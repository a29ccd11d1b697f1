package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// webhookTime is how long Twilio waits for an answer (https://www.twilio.com/docs/api/errors/11205).
const webhookTime = 15 * time.Second

// newClient makes the client for webhooks: no proxy, and no redirects, which would
// turn a POST into a GET.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       webhookTime,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Sign makes X-Twilio-Signature: HMAC-SHA1 over the address and the sorted
// parameters, each name followed by its values, repeated values once and sorted
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
func Sign(token, address string, params url.Values) string {
	address, _, _ = strings.Cut(address, "#")
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address)
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(params[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			_, _ = io.WriteString(mac, name+v)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// InboundURL is where messages from phones go.
func (e *Emulator) InboundURL() string { return e.cfg.Public + "/_lanekeeper/twilio/inbound" }

// Post sends a webhook to an address below the public one, signed for it; it
// gives the HTTP status.
func (e *Emulator) Post(address string, params url.Values) (int, error) {
	return e.PostSigned(address, params, Sign(e.cfg.AuthToken, address, params))
}

// PostSigned is Post with a signature of the caller's choice; "" sends none.
func (e *Emulator) PostSigned(address string, params url.Values, signature string) (int, error) {
	address, _, _ = strings.Cut(address, "#")
	rest, ok := strings.CutPrefix(address, e.cfg.Public)
	if !ok {
		return 0, fmt.Errorf("webhook: %s is not below %s", address, e.cfg.Public)
	}
	req, err := http.NewRequestWithContext(e.ctx, http.MethodPost, e.cfg.Deliver+rest, strings.NewReader(params.Encode()))
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", err)
	}
	if u, err := url.Parse(e.cfg.Public); err == nil {
		req.Host = u.Host
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("I-Twilio-Idempotency-Token", newSID(""))
	if signature != "" {
		req.Header.Set("X-Twilio-Signature", signature)
	}
	res, err := e.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, nil
}
