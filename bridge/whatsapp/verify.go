package whatsapp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Why a webhook was refused.
var (
	ErrUnsigned  = errors.New("webhook: no X-Twilio-Signature")
	ErrSignature = errors.New("webhook: the signature is wrong; is auth_token the primary token, and public_address the address in Twilio?")
)

// Verify checks that a request comes from Twilio
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security): the signature is
// over the public address, the path and query as they came, and the parameters.
// Host and X-Forwarded-* headers are not looked at. There is no protection against
// a repetition: MessageSid is the key.
func (c *Client) Verify(r *http.Request, rawBody []byte) error {
	signature := r.Header.Get("X-Twilio-Signature")
	if signature == "" {
		return ErrUnsigned
	}
	target := c.target(r)
	_, query, _ := strings.Cut(target, "?")
	q, _ := url.ParseQuery(query)
	var contents []string
	if sum := q.Get("bodySHA256"); sum != "" {
		got := sha256.Sum256(rawBody)
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(got[:])), []byte(strings.ToLower(sum))) != 1 {
			return ErrSignature
		}
		contents = []string{""}
	} else {
		form, err := url.ParseQuery(string(rawBody))
		if err != nil {
			return ErrSignature
		}
		contents = signedForms(form)
	}
	ok := 0
	for _, public := range c.public {
		for _, content := range contents {
			for _, token := range c.tokens() {
				ok |= subtle.ConstantTimeCompare([]byte(sign(token, public+target+content)), []byte(signature))
			}
		}
	}
	if ok != 1 {
		return ErrSignature
	}
	return nil
}

// tokens are those that a webhook may be signed with: Twilio signs with the primary one,
// and which one that is changes before or after our configuration does
// (https://www.twilio.com/docs/iam/api/authtoken).
func (c *Client) tokens() []string {
	if c.cfg.PreviousToken == "" {
		return []string{c.cfg.AuthToken}
	}
	return []string{c.cfg.AuthToken, c.cfg.PreviousToken}
}

// target is the path and query, byte by byte as they came, below the public
// address. A proxy may have left that address's own path on them.
func (c *Client) target(r *http.Request) string {
	t := r.RequestURI
	if t == "" { // a request that no server received
		t = r.URL.RequestURI()
	}
	if _, rest, absolute := strings.Cut(t, "://"); absolute && !strings.HasPrefix(t, "/") {
		_, path, _ := strings.Cut(rest, "/")
		t = "/" + path
	}
	t, _, _ = strings.Cut(t, "#")
	if c.path != "" && strings.HasPrefix(t, c.path+"/") {
		t = strings.TrimPrefix(t, c.path)
	}
	return t
}

// signedForms writes parameters as they are signed, keys sorted. Of parameters
// that are sent more than once Twilio's libraries disagree: Node and Python take
// every value once and sorted, Go the first.
func signedForms(form url.Values) []string {
	var all, firsts strings.Builder
	for _, k := range slices.Sorted(maps.Keys(form)) {
		firsts.WriteString(k + form[k][0])
		for _, v := range slices.Compact(slices.Sorted(slices.Values(form[k]))) {
			all.WriteString(k + v)
		}
	}
	if all.String() == firsts.String() {
		return []string{all.String()}
	}
	return []string{all.String(), firsts.String()}
}

func sign(token, s string) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(s))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
