package emulator

import (
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
)

//go:embed static
var static embed.FS

// page adds the page on which the phones are seen and used. It works without any
// request to elsewhere.
func (e *Emulator) page(mux *http.ServeMux) {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the path above is wrong
	}
	mux.Handle("GET /{$}", Local(policy, http.FileServerFS(files)))
	mux.Handle("GET /static/", Local(policy, http.StripPrefix("/static", http.FileServerFS(files))))
	mux.Handle("GET /received/{message}", Local(policy, http.HandlerFunc(e.received)))
	mux.Handle("GET /events", Local(policy, http.HandlerFunc(e.events)))
	mux.Handle("POST /phones/{number}/messages", Local(policy, e.action(e.write)))
	mux.Handle("POST /phones/{number}/chat", Local(policy, e.action(e.chat)))
	mux.Handle("POST /phones/{number}/window", Local(policy, e.action(e.expire)))
}

// policy keeps the page to itself, and words on it from being run.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Local lets only this computer in, and of its browser only the page itself: a
// foreign page may neither write here, nor read by a name that it has pointed here.
// The content security policy says what the page may do.
func Local(policy string, next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.RemoteAddr) || !loopback(r.Host) {
			http.Error(w, "This page is only for the computer that it runs on.", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	}))
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// wish is what somebody does on the page.
type wish struct {
	Text   string `json:"text"`
	Quoted string `json:"quoted"` // sid
	Button string `json:"button"` // payload; Quoted is the message that it belongs to
	Page   string `json:"page"`   // the page, as its stream of events names it
	Open   bool   `json:"open"`
}

// action reads what is to be done on one of the phones. What does not fit is told
// by the handler with an HTTP status.
func (e *Emulator) action(do func(phone string, w wish) (status int)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		var body wish
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		phone := r.PathValue("number")
		if !slices.ContainsFunc(e.cfg.Phones, func(p Phone) bool { return p.Number == phone }) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(do(phone, body))
	})
}

// write sends a message or taps a button. That the webhook failed is no failure
// here: the message shows it.
func (e *Emulator) write(phone string, w wish) int {
	e.mu.Lock()
	quoted := e.bySID[w.Quoted]
	strange := w.Quoted != "" && (quoted == nil || quoted.Phone != phone)
	e.mu.Unlock()
	switch {
	case strange:
		return http.StatusNotFound
	case w.Button != "":
		if m, _ := e.Tap(phone, w.Quoted, w.Button); m.SID == "" {
			return http.StatusNotFound
		}
		return http.StatusNoContent
	case strings.TrimSpace(w.Text) == "" || len(utf16.Encode([]rune(w.Text))) > maxBody:
		return http.StatusBadRequest
	}
	_, _ = e.Send(phone, w.Text, Reply{Quoted: w.Quoted})
	return http.StatusNoContent
}

// chat opens or closes a phone's chat on one page: while it is open, what arrives
// is read.
func (e *Emulator) chat(phone string, w wish) int {
	e.mu.Lock()
	phones := e.shown[w.Page]
	if phones != nil {
		phones[phone] = w.Open
	}
	e.mu.Unlock()
	switch {
	case phones == nil:
		return http.StatusConflict // the stream of events has ended
	case w.Open:
		e.Read(phone)
	}
	return http.StatusNoContent
}

// isShown tells whether a phone's chat is open on some page. The lock is held.
func (e *Emulator) isShown(phone string) bool {
	for _, phones := range e.shown {
		if phones[phone] {
			return true
		}
	}
	return false
}

func (e *Emulator) expire(phone string, _ wish) int {
	e.CloseWindow(phone)
	return http.StatusNoContent
}
