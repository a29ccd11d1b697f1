// Package emulator stands in for Twilio and the phones behind it: the Messages
// API with its errors, signed webhooks, status callbacks, WhatsApp's 24-hour
// window, and a page on which each agent's phone can be seen and used. It shares
// no code with the client that it serves: its signatures are its own, and tests
// hold both to Twilio's published contract. All of it is kept in memory.
package emulator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Window is how long free text is let through after a phone's last message
// (https://www.twilio.com/docs/whatsapp/key-concepts).
const Window = 24 * time.Hour

// Phone is a WhatsApp user.
type Phone struct {
	Number string `json:"number"` // E.164, with +
	Name   string `json:"name"`
}

// Config says whose account this is and where the webhooks go.
type Config struct {
	AccountSID string
	AuthToken  string
	APIKey     string // optional second credentials
	APISecret  string
	From       string // "whatsapp:+…", the business's sender
	Business   string // its name on the phones; empty: Support
	Template   string // sid of the approved template, HX…; empty: any
	Public     string // public address of the product: what signatures cover
	Deliver    string // where that address really is; empty: Public
	Address    string // where Handler is served: files of messages are below it; empty: Twilio's
	Phones     []Phone
	Open       bool // the phones have written before: their windows are open at first
	Now        func() time.Time
}

// Message is one message between the business and a phone.
type Message struct {
	SID       string            `json:"sid"`
	Phone     string            `json:"phone"` // E.164
	Inbound   bool              `json:"inbound"`
	Body      string            `json:"body"` // empty for templates: see Text
	Template  string            `json:"template,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
	Media     []string          `json:"media,omitempty"`  // addresses
	Quoted    string            `json:"quoted,omitempty"` // sid
	Button    string            `json:"button,omitempty"` // payload of the button tapped
	Status    string            `json:"status"`           // the furthest one so far
	ErrorCode int               `json:"error_code,omitempty"`
	At        time.Time         `json:"at"`

	callback string
	service  string
	deleted  bool
	reported []string // statuses, in the order in which they came about
	sent     time.Time
	files    []*stored
	got      *File               // that came to the phone
	extra    map[string][]string // more parameters of the webhook
	webhook  webhook             // what became of it, for messages from phones
	revision int                 // of the emulator when it last changed
}

// Emulator is one account with its phones.
type Emulator struct {
	cfg      Config
	instance string // so that a page notices that it talks to another one

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	revision int
	messages []*Message
	bySID    map[string]*Message
	window   map[string]time.Time       // last message from a phone
	shown    map[string]map[string]bool // page → phones whose chat is open there: what they get is read
	faults   []*Fault
	contents []*content
	review   approval // of templates that are submitted
	lag      time.Duration
	quiet    bool // statuses change only by Report and Become
	calls    int

	client *http.Client
	ctx    context.Context
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// New makes an account. It ends with ctx, or with Close.
func New(ctx context.Context, cfg Config) *Emulator {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Deliver == "" {
		cfg.Deliver = cfg.Public
	}
	if cfg.Business == "" {
		cfg.Business = "Support"
	}
	ctx, stop := context.WithCancel(ctx)
	e := &Emulator{
		cfg: cfg, instance: rand.Text(), changed: make(chan struct{}),
		bySID: map[string]*Message{}, window: map[string]time.Time{}, shown: map[string]map[string]bool{},
		client: newClient(), ctx: ctx, stop: stop, review: approval{state: "approved"},
	}
	for _, p := range cfg.Phones {
		if cfg.Open {
			e.window[p.Number] = cfg.Now()
		}
	}
	return e
}

// Close ends what is under way, and every page's stream of events.
func (e *Emulator) Close() {
	e.mu.Lock()
	e.stop() // under the lock: see spawn
	e.mu.Unlock()
	e.work.Wait()
	e.client.CloseIdleConnections()
}

// spawn does something in the background, unless the emulator has ended. The lock
// is not held.
func (e *Emulator) spawn(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx.Err() == nil {
		e.work.Go(f)
	}
}

// touch tells everybody who waits that something changed; m may be nil. The lock
// is held.
func (e *Emulator) touch(m *Message) {
	e.revision++
	if m != nil {
		m.revision = e.revision
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// Wait blocks until f, which sees all messages oldest first, is content or ctx ends.
func (e *Emulator) Wait(ctx context.Context, f func([]Message) bool) bool {
	for {
		e.mu.Lock()
		all, changed := e.copies(""), e.changed
		e.mu.Unlock()
		if f(all) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}

// Messages gives all messages of a phone ("" for all), oldest first.
func (e *Emulator) Messages(phone string) []Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.copies(phone)
}

func (e *Emulator) copies(phone string) []Message {
	out := make([]Message, 0, len(e.messages))
	for _, m := range e.messages {
		if phone == "" || m.Phone == phone {
			out = append(out, *m)
		}
	}
	return out
}

// Reported gives the statuses that a message has had, in the order of the calls.
func (e *Emulator) Reported(sid string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.bySID[sid]; m != nil {
		return slices.Clone(m.reported)
	}
	return nil
}

// CloseWindow does what 24 hours of silence do.
func (e *Emulator) CloseWindow(phone string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.window, phone)
	e.touch(nil)
}

// OpenFor says how much longer free text reaches a phone; 0: it does not.
func (e *Emulator) OpenFor(phone string) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.openFor(phone)
}

func (e *Emulator) openFor(phone string) time.Duration {
	last, ok := e.window[phone]
	if !ok {
		return 0
	}
	return max(0, Window-e.cfg.Now().Sub(last))
}

// Lag makes new messages appear in listings only after some time, as Twilio's do.
func (e *Emulator) Lag(d time.Duration) { e.mu.Lock(); e.lag = d; e.mu.Unlock() }

// Quiet leaves all that becomes of new messages to Report and Become.
func (e *Emulator) Quiet(on bool) { e.mu.Lock(); e.quiet = on; e.mu.Unlock() }

// Calls counts the requests to create a message, refused ones too.
func (e *Emulator) Calls() int { e.mu.Lock(); defer e.mu.Unlock(); return e.calls }

// add stores a message. The lock is held.
func (e *Emulator) add(m *Message) *Message {
	m.SID, m.At = newSID("SM"), e.cfg.Now()
	if m.Inbound {
		m.Status, m.sent = "received", m.At
		e.window[m.Phone] = m.At
	}
	e.messages = append(e.messages, m)
	e.bySID[m.SID] = m
	e.touch(m)
	return m
}

// newSID makes an id as Twilio's: two letters and 32 hexadecimal digits.
func newSID(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + hex.EncodeToString(b[:])
}
