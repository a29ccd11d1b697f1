package emulator

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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
	mux.HandleFunc("GET "+base+"/Messages/{message}/Media.json", e.account(e.media))
	mux.HandleFunc("GET /2010-04-01/Accounts/{file}", e.fetchAccount)
	mux.HandleFunc("/2010-04-01/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	})
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
			refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
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
		refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
		return
	}
	respond(w, http.StatusOK, map[string]any{"sid": e.cfg.AccountSID, "status": "active", "type": "Full", "friendly_name": "Emulator", "owner_account_sid": e.cfg.AccountSID})
}

// create is POST Messages.json
// (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
func (e *Emulator) create(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, 21600, "The request body cannot be read")
		return
	}
	e.mu.Lock()
	e.calls++
	e.mu.Unlock()
	f := r.PostForm
	fault := e.fault(f)
	if fault != nil && !fault.Accept {
		fault.answer(w, r)
		return
	}
	m, code, why := e.message(f)
	if code != 0 {
		refuse(w, http.StatusBadRequest, code, why)
		return
	}
	e.mu.Lock()
	e.add(m)
	body, early := e.resource(m), fault != nil && fault.CallbackFirst
	e.mu.Unlock()
	if early {
		e.progress(m) // Twilio's callbacks can overtake the answer to the request
	} else {
		e.work.Go(func() { e.progress(m) })
	}
	if fault != nil && fault.answers() {
		fault.answer(w, r)
		return
	}
	respond(w, http.StatusCreated, body)
}

// message checks what Twilio checks before it says 201.
func (e *Emulator) message(f url.Values) (m *Message, code int, why string) {
	m = &Message{
		Body: f.Get("Body"), Template: f.Get("ContentSid"), Media: f["MediaUrl"],
		Status: "queued", callback: f.Get("StatusCallback"), service: f.Get("MessagingServiceSid"), from: f.Get("From"),
	}
	if m.service != "" {
		m.Status = "accepted"
	}
	m.Phone = strings.TrimPrefix(f.Get("To"), "whatsapp:")
	switch {
	case f.Get("To") == "":
		return nil, 21604, "A 'To' phone number is required."
	case !address.MatchString(f.Get("To")):
		return nil, 21211, "The 'To' number is not a valid phone number."
	case m.from == "" && m.service == "":
		return nil, 21603, "A 'From' phone number is required."
	case m.from != "" && m.from != e.cfg.From:
		return nil, 63007, "Twilio could not find a Channel with the specified From address"
	case m.from == f.Get("To"):
		return nil, 63031, "Message cannot have the same To and From"
	case m.Body == "" && m.Template == "" && len(m.Media) == 0:
		return nil, 21619, "Message body, media URL or content SID is required."
	case len(utf16.Encode([]rune(m.Body))) > maxBody:
		return nil, 21617, "The concatenated message body exceeds the 1600 character limit."
	case len(m.Media) > 1:
		return nil, 21620, "WhatsApp takes one media URL for each message."
	case m.Template != "" && !contentSID.MatchString(m.Template):
		return nil, 21655, "The ContentSid is invalid."
	case m.Template != "" && e.cfg.Template != "" && m.Template != e.cfg.Template:
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

// list is GET Messages.json, newest first. A message shows only after the lag.
func (e *Emulator) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, err := strconv.Atoi(q.Get("PageSize"))
	if err != nil || size < 1 || size > 1000 {
		size = 50
	}
	page, _ := strconv.Atoi(q.Get("Page"))
	e.mu.Lock()
	var found []any
	for _, m := range slices.Backward(e.messages) {
		if !m.deleted && e.cfg.Now().Sub(m.At) >= e.lag && e.matches(m, q) {
			found = append(found, e.resource(m))
		}
	}
	e.mu.Unlock()
	from := min(page*size, len(found))
	part := found[from:min(from+size, len(found))]
	link := func(p int) any {
		q.Set("Page", strconv.Itoa(p))
		q.Set("PageSize", strconv.Itoa(size))
		return r.URL.Path + "?" + q.Encode()
	}
	answer := map[string]any{
		"messages": append([]any{}, part...), "page": page, "page_size": size, "start": from, "end": max(0, from+len(part)-1),
		"first_page_uri": link(0), "uri": link(page), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if from+len(part) < len(found) {
		answer["next_page_uri"] = link(page + 1)
	}
	if page > 0 {
		answer["previous_page_uri"] = link(page - 1)
	}
	respond(w, http.StatusOK, answer)
}

func (e *Emulator) matches(m *Message, q url.Values) bool {
	to, from := e.ends(m)
	if want := q.Get("To"); want != "" && want != to {
		return false
	}
	if want := q.Get("From"); want != "" && want != from {
		return false
	}
	for key, good := range map[string]func(sent, limit time.Time) bool{
		"DateSent>": func(s, l time.Time) bool { return !s.Before(l) },
		"DateSent<": func(s, l time.Time) bool { return !s.After(l) },
		"DateSent":  func(s, l time.Time) bool { return s.Format(time.DateOnly) == l.Format(time.DateOnly) },
	} {
		if v := q.Get(key); v != "" {
			limit, err := time.Parse(time.RFC3339, v)
			if err != nil {
				limit, err = time.Parse(time.DateOnly, v)
			}
			if err == nil && !good(m.At.UTC(), limit) {
				return false
			}
		}
	}
	return true
}

// find gives the message that a path names.
func (e *Emulator) find(w http.ResponseWriter, r *http.Request) *Message {
	sid := strings.TrimSuffix(r.PathValue("message"), ".json")
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.bySID[sid]
	if m == nil || m.deleted {
		refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
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

func (e *Emulator) media(w http.ResponseWriter, r *http.Request) {
	if e.find(w, r) != nil {
		respond(w, http.StatusOK, map[string]any{"media_list": []any{}, "page": 0, "page_size": 50, "start": 0, "end": 0, "first_page_uri": r.URL.Path, "uri": r.URL.Path, "next_page_uri": nil, "previous_page_uri": nil})
	}
}

// ends gives the addresses of a message.
func (e *Emulator) ends(m *Message) (to, from string) {
	if m.Inbound {
		return e.cfg.From, "whatsapp:" + m.Phone
	}
	return "whatsapp:" + m.Phone, e.cfg.From
}

// resource is a message as the API shows it.
func (e *Emulator) resource(m *Message) map[string]any {
	to, from := e.ends(m)
	uri := fmt.Sprintf("/2010-04-01/Accounts/%s/Messages/%s", e.cfg.AccountSID, m.SID)
	direction := "outbound-api"
	if m.Inbound {
		direction = "inbound"
	}
	out := map[string]any{
		"sid": m.SID, "account_sid": e.cfg.AccountSID, "api_version": "2010-04-01", "body": m.Body, "direction": direction,
		"to": to, "from": from, "status": m.Status, "num_media": strconv.Itoa(len(m.Media)), "num_segments": "1",
		"date_created": date(m.At), "date_sent": date(m.At), "date_updated": date(m.At),
		"error_code": nil, "error_message": nil, "messaging_service_sid": nil, "price": nil, "price_unit": "USD",
		"uri": uri + ".json", "subresource_uris": map[string]any{"media": uri + "/Media.json"},
	}
	if m.service != "" {
		out["messaging_service_sid"] = m.service
	}
	if m.ErrorCode != 0 {
		out["error_code"], out["error_message"] = m.ErrorCode, "Channel error"
	}
	return out
}

// date is RFC 2822, as the API writes it.
func date(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") }

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// refuse answers with an error of the API
// (https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions).
func refuse(w http.ResponseWriter, status, code int, why string) {
	respond(w, status, map[string]any{"code": code, "message": why, "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code), "status": status})
}
