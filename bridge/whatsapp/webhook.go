package whatsapp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// maxBody bounds a webhook, in bytes.
const maxBody = 1 << 20

// storeTime is how long storing may take: Twilio waits for 15 seconds, and shall be told
// to come again.
const storeTime = 10 * time.Second

// Inbound handles incoming messages: they are answered with empty TwiML once
// store has returned (it must be durable then, and takes one MessageSid once). An
// error of store is answered with 503, and Twilio tries again. Twilio waits for
// 15 seconds.
func (c *Client) Inbound(store func(context.Context, Inbound) error) http.Handler {
	return c.webhook(func(ctx context.Context, form, _ url.Values, signature string, w http.ResponseWriter) error {
		if form.Get("MessageStatus") != "" {
			zerolog.Ctx(ctx).Warn().Msg("Twilio sends status callbacks to the path of incoming messages: mend the address in Twilio")
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		in, err := ParseInbound(form)
		if err != nil {
			http.Error(w, "MessageSid is missing", http.StatusBadRequest)
			return nil
		}
		if err := c.ours(form); err != nil {
			return errors.Join(errRefused, err)
		}
		in.Signature = signature
		if from := form.Get("From"); from != "" && !strings.HasPrefix(from, "whatsapp:") {
			// A number may take text messages, too, and anybody can send those in the
			// name of an agent's number.
			zerolog.Ctx(ctx).Warn().Msg("Left a message that did not come through WhatsApp")
		} else if err := store(ctx, in); err != nil {
			return err
		}
		// Never text/plain, which Twilio sends on as a message.
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, "<Response/>")
		return nil
	})
}

// Status handles status callbacks in the same way; the answer is 204.
func (c *Client) Status(store func(context.Context, Status) error) http.Handler {
	return c.webhook(func(ctx context.Context, form, query url.Values, _ string, w http.ResponseWriter) error {
		s, err := ParseStatus(form, query.Get("m"))
		if err != nil {
			http.Error(w, "MessageSid is missing", http.StatusBadRequest)
			return nil
		}
		if err := store(ctx, s); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// errRefused marks what is answered with 403.
var errRefused = errors.New("webhook: refused")

// webhook lets through what Twilio signed for our account.
func (c *Client) webhook(handle func(ctx context.Context, form, query url.Values, signature string, w http.ResponseWriter) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log := zerolog.Ctx(r.Context())
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		} else if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := c.Verify(r, body); err != nil {
			log.Warn().Err(err).Str("path", r.URL.Path).Msg("Refused a webhook")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		form, _ := url.ParseQuery(string(body))
		if form.Get("AccountSid") != c.cfg.AccountSID {
			log.Warn().Str("path", r.URL.Path).Msg("Refused a webhook of another account")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if err := shaped(form); err != nil {
			log.Warn().Err(err).Str("path", r.URL.Path).Msg("Refused a webhook")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), storeTime)
		defer cancel()
		switch err := handle(ctx, form, r.URL.Query(), r.Header.Get("X-Twilio-Signature"), w); {
		case errors.Is(err, errRefused):
			log.Warn().Err(err).Str("path", r.URL.Path).Msg("Refused a webhook")
			w.WriteHeader(http.StatusForbidden)
		case err != nil:
			log.Err(err).Str("path", r.URL.Path).Msg("Could not store a webhook")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}
