package emulator

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
)

// maxBody is Twilio's limit for a body on any channel, in UTF-16 units (21617).
const maxBody = 1600

var (
	address    = regexp.MustCompile(`^whatsapp:\+[1-9][0-9]{6,14}$`)
	contentSID = regexp.MustCompile(`^HX[0-9a-fA-F]{32}$`)
)

// Handler is the REST API, as at https://api.twilio.com, and the phones' page.
func (e *Emulator) Handler() http.Handler {
	mux := http.NewServeMux()
	base := "/2010-04-01/Accounts/{account}"
	mux.HandleFunc("POST "+base+"/Messages.json", e.account(e.create))
	mux.HandleFunc("GET "+base+"/Messages.json", e.account(e.list))
	mux.HandleFunc("GET "+base+"/Messages/{message}", e.account(e.fetch))
	mux.HandleFunc("DELETE "+base+"/Messages/{message}", e.account(e.remove))
	mux.HandleFunc("GET "+base+"/Messages/{message}/Media.json", e.account(e.listFiles))
	mux.HandleFunc("GET "+base+"/Messages/{message}/Media/{file}", e.account(e.fetchFile))
	mux.HandleFunc("DELETE "+base+"/Messages/{message}/Media/{file}", e.account(e.removeFile))
	mux.HandleFunc("GET "+storage+"{key}", e.storage)
	mux.HandleFunc("GET /2010-04-01/Accounts/{file}", e.fetchAccount)
	mux.HandleFunc("/2010-04-01/", notFound)
	e.contentRoutes(mux)
	e.page(mux)
	return mux
}

// account lets only holders of the credentials pass
// (https://www.twilio.com/docs/usage/requests-to-twilio).
func (e *Emulator) account(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !e.authentic(r) {
			refuse(w, http.StatusUnauthorized, 20003, "Authenticate")
			return
		}
		if r.PathValue("account") != e.cfg.AccountSID {
			notFound(w, r)
			return
		}
		next(w, r)
	}
}

func (e *Emulator) authentic(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	same := func(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	return same(e.cfg.AccountSID, user) && same(e.cfg.AuthToken, password) || same(e.cfg.APIKey, user) && same(e.cfg.APISecret, password)
}

func (e *Emulator) fetchAccount(w http.ResponseWriter, r *http.Request) {
	if !e.authentic(r) {
		refuse(w, http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	if r.PathValue("file") != e.cfg.AccountSID+".json" {
		notFound(w, r)
		return
	}
	respond(w, http.StatusOK, map[string]any{"sid": e.cfg.AccountSID, "status": "active", "type": "Full", "friendly_name": "Emulator", "owner_account_sid": e.cfg.AccountSID})
}

// create is POST Messages.json
// (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
// Status callbacks come after the answer, unless a fault says otherwise.
func (e *Emulator) create(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, 21600, "The request body cannot be read")
		return
	}
	e.mu.Lock()
	e.calls++
	fault := e.fault(r.PostForm)
	e.mu.Unlock()
	if fault != nil && !fault.Accept {
		fault.answer(w)
		return
	}
	m, code, why := e.message(r.PostForm)
	if code != 0 {
		refuse(w, http.StatusBadRequest, code, why)
		return
	}
	e.mu.Lock()
	body := e.resource(e.add(m))
	e.mu.Unlock()
	if fault != nil && fault.CallbackFirst {
		e.progress(m) // Twilio's callbacks can overtake the answer to the request
	} else {
		defer e.spawn(func() { e.progress(m) }) // even if the answer is cut off
	}
	if fault != nil && fault.answers() {
		fault.answer(w)
		return
	}
	respond(w, http.StatusCreated, body)
	_ = http.NewResponseController(w).Flush()
}

// message checks what Twilio checks before it says 201.
func (e *Emulator) message(f url.Values) (m *Message, code int, why string) {
	m = &Message{
		Body: f.Get("Body"), Template: f.Get("ContentSid"), Media: f["MediaUrl"],
		Status: "queued", callback: f.Get("StatusCallback"), service: f.Get("MessagingServiceSid"),
	}
	if m.service != "" {
		m.Status = "accepted"
	}
	m.Phone = strings.TrimPrefix(f.Get("To"), "whatsapp:")
	from := f.Get("From")
	switch {
	case f.Get("To") == "":
		return nil, 21604, "A 'To' phone number is required."
	case !address.MatchString(f.Get("To")):
		return nil, 21211, "The 'To' number is not a valid phone number."
	case from == "" && m.service == "":
		return nil, 21603, "A 'From' phone number is required."
	case from != "" && from != e.cfg.From:
		return nil, 63007, "Twilio could not find a Channel with the specified From address"
	case from == f.Get("To"):
		return nil, 63031, "Message cannot have the same To and From"
	case m.Body == "" && m.Template == "" && len(m.Media) == 0:
		return nil, 21619, "Message body, media URL or content SID is required."
	case len(utf16.Encode([]rune(m.Body))) > maxBody:
		return nil, 21617, "The concatenated message body exceeds the 1600 character limit."
	case len(m.Media) > 1:
		return nil, 21620, "WhatsApp takes one media URL for each message."
	case m.Template != "" && !contentSID.MatchString(m.Template):
		return nil, 21655, "The ContentSid is invalid."
	case m.Template != "" && e.cfg.Template != "" && !e.approved(m.Template):
		return nil, 21655, "The ContentSid does not exist."
	case m.Template != "" && m.Body != "":
		return nil, 63016, "A template cannot have a body."
	case m.Template != "" && len(m.Media) > 0:
		return nil, 63030, "A template cannot have media."
	}
	if vars := f.Get("ContentVariables"); vars != "" {
		if json.Unmarshal([]byte(vars), &m.Variables) != nil {
			return nil, 21656, "The ContentVariables are invalid."
		}
		for _, v := range m.Variables {
			if v == "" || strings.ContainsAny(v, "\n\t") || strings.Contains(v, "     ") {
				return nil, 63013, "A content variable is empty, or holds line breaks or blanks."
			}
		}
	}
	return m, 0, ""
}

// find gives the message that a path names.
func (e *Emulator) find(w http.ResponseWriter, r *http.Request) *Message {
	sid := strings.TrimSuffix(r.PathValue("message"), ".json")
	e.mu.Lock()
	m := e.bySID[sid]
	gone := m == nil || m.deleted
	e.mu.Unlock()
	if gone {
		notFound(w, r)
		return nil
	}
	return m
}

func (e *Emulator) fetch(w http.ResponseWriter, r *http.Request) {
	if m := e.find(w, r); m != nil {
		e.mu.Lock()
		body := e.resource(m)
		e.mu.Unlock()
		respond(w, http.StatusOK, body)
	}
}

func (e *Emulator) remove(w http.ResponseWriter, r *http.Request) {
	if m := e.find(w, r); m != nil {
		e.mu.Lock()
		m.deleted = true
		e.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}
}
