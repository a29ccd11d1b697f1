// Package matrix talks to the homeserver: plain calls with plain results, no
// hidden retries, no hidden waiting, every answer bounded in size and time. It
// knows the Client-Server API and nothing of projects, lanes or levels. It is the
// only package that imports the mautrix client.
//
// The bot is an ordinary user inside the namespaces of the application service,
// not its sender_localpart: Synapse answers 500 to a /sync of that one. Every
// call says for whom it is made (user_id, Application Service API, "Identity
// assertion"), and where the homeserver allows it (MSC4190) also from which
// device: only then does Synapse recognise a repeated transaction id after a
// restart.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

const (
	// deviceID is the one device of every user of ours. It never changes:
	// transaction ids are remembered per device.
	deviceID = "LANEKEEPER"

	// answerTime is how long a call may take altogether; a sync that waits for news
	// gets its own timeout on top, one that catches up answerTimeLong.
	answerTime     = 30 * time.Second
	answerTimeLong = 10 * time.Minute

	// answerLimit bounds an answer in bytes, answerLimitSync that of a sync, of
	// a page of messages or of a room's whole state.
	answerLimit     = 1 << 20
	answerLimitSync = 256 << 20
)

// Config says where the homeserver is and who we are there.
type Config struct {
	Address      string // base URL of the Client-Server API
	Domain       string // server name, the part of user ids after the colon
	ASToken      string
	HSToken      string
	BotLocalpart string
	BotName      string // display name; empty: left alone
	BotAvatar    string // mxc URI; empty: left alone
	GhostPrefix  string // localparts of ghosts and of room aliases begin so
	ID           string // id of the registration
	Software     string // "auto" or empty: what the homeserver calls itself; else taken as it is
}

// Client acts on the homeserver as the bot and its ghosts. It is safe for
// concurrent use.
type Client struct {
	cfg  Config
	base *url.URL
	http *http.Client
	log  zerolog.Logger

	pauses pauses
	caps   atomic.Pointer[Capabilities]
	mu     sync.Mutex
	ghosts map[string]string // users of ours that stand, with the display name we set
}

// New makes a client; it does not connect.
func New(cfg Config, log zerolog.Logger) (*Client, error) {
	base, err := mautrix.ParseAndNormalizeBaseURL(cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("homeserver address: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("homeserver address %q is not an http or https URL", cfg.Address)
	}
	for name, value := range map[string]string{
		"domain": cfg.Domain, "as_token": cfg.ASToken, "hs_token": cfg.HSToken,
		"bot localpart": cfg.BotLocalpart, "ghost prefix": cfg.GhostPrefix, "id": cfg.ID,
	} {
		if value == "" {
			return nil, fmt.Errorf("homeserver: %s is empty", name)
		}
	}
	return &Client{
		cfg:    cfg,
		base:   base,
		http:   &http.Client{Transport: transport(), CheckRedirect: noRedirect},
		log:    log,
		ghosts: map[string]string{},
	}, nil
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
}

// noRedirect keeps the answer as it is: a redirected PUT would lose its body, and
// an address that redirects is a mistake in the configuration that shall be seen.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Bot is the user id of the bot.
func (c *Client) Bot() string { return c.User(c.cfg.BotLocalpart) }

// User makes a full user id of this homeserver from a localpart.
func (c *Client) User(localpart string) string { return "@" + localpart + ":" + c.cfg.Domain }

// Alias makes a full room alias of this homeserver from a localpart.
func (c *Client) Alias(localpart string) string { return "#" + localpart + ":" + c.cfg.Domain }

// Ours tells whether a user id is the bot or one of its ghosts.
func (c *Client) Ours(user string) bool {
	localpart, ok := c.localpart(user)
	return ok && (localpart == c.cfg.BotLocalpart || strings.HasPrefix(localpart, c.cfg.GhostPrefix))
}

func (c *Client) localpart(user string) (string, bool) {
	localpart, ok := strings.CutSuffix(user, ":"+c.cfg.Domain)
	if !ok || !strings.HasPrefix(localpart, "@") {
		return "", false
	}
	return localpart[1:], true
}

// request is one call to the homeserver.
type request struct {
	op     string // what failed, for errors: "send to !room"
	method string
	path   []any // below /_matrix
	query  map[string]string
	as     string // user id; empty: the bot
	body   any
	file   []byte    // in place of body
	reader io.Reader // in place of file, with size
	size   int64
	typ    string // of file
	out    any

	nobody   bool                  // no user_id: the call is the application service's own
	noDevice bool                  // no device_id: calls that find out whether there are devices
	timeout  time.Duration         // 0: answerTime
	limit    int64                 // 0: answerLimit
	stream   func(io.Reader) error // reads the answer while it comes, of any size, in place of out
	long     bool                  // a long poll: not logged
}

// do makes one call, once. Errors are *Error, except for a body that is not JSON.
func (c *Client) do(ctx context.Context, r request) (http.Header, error) {
	user := r.as
	if user == "" {
		user = c.Bot()
	}
	devices := false
	if !r.nobody && !r.noDevice {
		caps, err := c.capabilities(ctx)
		if err != nil {
			return nil, err
		}
		devices = caps.Devices
	}
	if err := c.pauses.check(r); err != nil {
		return nil, fmt.Errorf("%s: %w", r.op, err)
	}
	if r.timeout == 0 {
		r.timeout = answerTime
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("no answer within %s", r.timeout))
	defer cancel()

	began := time.Now()
	header, err := c.once(ctx, r, user, devices)
	if !r.long {
		c.log.Debug().Str("op", r.op).Str("as", user).Dur("took", time.Since(began)).AnErr("failed", err).Msg("Homeserver called")
	}
	if err == nil {
		return header, nil
	}
	c.pauses.note(ctx, r, err)
	if gone(err) {
		c.forget(user)
	}
	return nil, fmt.Errorf("%s: %w", r.op, err)
}

// quiet keeps mautrix from logging calls and bodies to the default logger. A
// disabled logger would not do: zerolog leaves it out of contexts.
var quiet = zerolog.New(io.Discard).Level(zerolog.PanicLevel)

// once hands one call to mautrix. Its client is a plain value without a life of
// its own, so one is made per call: there is nothing to share but the transport.
func (c *Client) once(ctx context.Context, r request, user string, device bool) (http.Header, error) {
	cli := &mautrix.Client{
		HomeserverURL:         c.base,
		UserID:                id.UserID(user),
		DeviceID:              deviceID,
		AccessToken:           c.cfg.ASToken,
		UserAgent:             "Lanekeeper",
		Client:                c.http,
		Log:                   zerolog.Nop(), // it would log bodies
		IgnoreRateLimit:       true,
		SetAppServiceUserID:   !r.nobody,
		SetAppServiceDeviceID: device,
	}
	limit := r.limit
	if limit == 0 {
		limit = answerLimit
	}
	var handler mautrix.ClientResponseHandler
	if r.stream != nil {
		handler = streamed(r.stream)
	}
	_, resp, err := cli.MakeFullRequestWithResp(quiet.WithContext(ctx), mautrix.FullRequest{
		Handler:           handler,
		Method:            r.method,
		URL:               cli.BuildURLWithQuery(mautrix.BaseURLPath(append([]any{"_matrix"}, r.path...)), r.query),
		RequestJSON:       r.body,
		RequestBytes:      r.file,
		RequestBody:       r.reader,
		RequestLength:     r.size,
		Headers:           r.headers(),
		ResponseJSON:      r.out,
		MaxAttempts:       1, // the outbox decides when to try again
		SensitiveContent:  true,
		ResponseSizeLimit: limit,
	})
	if err != nil {
		return nil, convert(ctx, err)
	}
	return resp.Header, nil
}

// headers are nil but for a file.
func (r request) headers() http.Header {
	if r.file == nil && r.reader == nil {
		return nil
	}
	return http.Header{"Content-Type": {r.typ}}
}

// convert makes our error of mautrix's.
func convert(ctx context.Context, err error) error {
	var failed mautrix.HTTPError
	if !errors.As(err, &failed) || failed.Request == nil {
		return err // the body is not JSON, or the call was never made
	}
	if failed.Response == nil || failed.WrappedError != nil {
		return unanswered(ctx, failed)
	}
	return refused(failed)
}
