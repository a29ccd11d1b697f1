package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// list is GET Messages.json, newest first. A message shows only after the lag.
func (e *Emulator) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, err := strconv.Atoi(q.Get("PageSize"))
	if err != nil || size < 1 || size > 1000 {
		size = 50
	}
	page, _ := strconv.Atoi(q.Get("Page"))
	page = max(0, page)
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
			if err == nil && (m.sent.IsZero() || !good(m.sent.UTC(), limit)) {
				return false
			}
		}
	}
	return true
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
		"to": to, "from": from, "status": m.Status, "num_media": strconv.Itoa(len(m.Media) + len(m.files)), "num_segments": "1",
		"date_created": date(m.At), "date_sent": nil, "date_updated": date(m.At),
		"error_code": nil, "error_message": nil, "messaging_service_sid": nil, "price": nil, "price_unit": "USD",
		"uri": uri + ".json", "subresource_uris": map[string]any{"media": uri + "/Media.json"},
	}
	if !m.sent.IsZero() {
		out["date_sent"] = date(m.sent)
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

// respond sends a whole answer: its length is known, so that it has arrived once it
// is flushed.
func respond(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

// refuse answers with an error of the API
// (https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions).
func refuse(w http.ResponseWriter, status, code int, why string) {
	respond(w, status, map[string]any{"code": code, "message": why, "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code), "status": status})
}
