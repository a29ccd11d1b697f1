package emulator

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// content is a template of the Content API
// (https://www.twilio.com/docs/content/content-api-resources).
type content struct {
	SID       string            `json:"sid"`
	Account   string            `json:"account_sid"`
	Name      string            `json:"friendly_name"`
	Language  string            `json:"language"`
	Variables map[string]string `json:"variables"`
	Types     map[string]any    `json:"types"`
	URL       string            `json:"url"`
	Created   time.Time         `json:"date_created"`
	Updated   time.Time         `json:"date_updated"`

	approval
}

type approval struct{ name, state, reason string }

func (a approval) resource() map[string]any {
	return map[string]any{"type": "whatsapp", "name": a.name, "category": "UTILITY", "content_type": "twilio/quick-reply", "status": a.state, "rejection_reason": a.reason, "allow_category_change": false}
}

var templateName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)

// Review decides, as WhatsApp does within a day, about the templates that are
// submitted from now on and about those that are.
func (e *Emulator) Review(state, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.review = approval{state: state, reason: reason}
	for _, c := range e.contents {
		if c.state != "unsubmitted" {
			c.state, c.reason = state, reason
		}
	}
}

func (e *Emulator) contentRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/Content", e.known(e.listContent))
	mux.HandleFunc("POST /v1/Content", e.known(e.createContent))
	mux.HandleFunc("GET /v1/Content/{content}/ApprovalRequests", e.known(e.fetchApproval))
	mux.HandleFunc("POST /v1/Content/{content}/ApprovalRequests/whatsapp", e.known(e.submit))
	mux.HandleFunc("/v1/", notFound)
}

// known lets only holders of the credentials pass, one at a time.
func (e *Emulator) known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !e.authentic(r) {
			refuse(w, http.StatusUnauthorized, 20003, "Authenticate")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		e.mu.Lock()
		defer e.mu.Unlock()
		next(w, r)
	}
}

func (e *Emulator) createContent(w http.ResponseWriter, r *http.Request) {
	var c content
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || c.Language == "" || len(c.Types) == 0 {
		refuse(w, http.StatusBadRequest, 20001, "language and types are required")
		return
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	c.SID, c.Account, c.Created, c.approval = "HX"+hex.EncodeToString(id[:]), e.cfg.AccountSID, e.cfg.Now().UTC(), approval{state: "unsubmitted"}
	c.Updated, c.URL = c.Created, "https://content.twilio.com/v1/Content/"+c.SID
	e.contents = append(e.contents, &c)
	respond(w, http.StatusCreated, c)
}

func (e *Emulator) listContent(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.URL.Query().Get("PageSize"))
	if err != nil || size < 1 || size > 1000 {
		size = 50
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("Page"))
	from := min(max(page, 0)*size, len(e.contents))
	until := min(from+size, len(e.contents))
	meta := map[string]any{"page": page, "page_size": size, "key": "contents", "next_page_url": nil}
	if until < len(e.contents) {
		meta["next_page_url"] = "https://content.twilio.com/v1/Content?PageSize=" + strconv.Itoa(size) + "&Page=" + strconv.Itoa(page+1)
	}
	respond(w, http.StatusOK, map[string]any{"contents": append([]*content{}, e.contents[from:until]...), "meta": meta})
}

// contentOf is the template that a path names. The lock is held.
func (e *Emulator) contentOf(r *http.Request) *content {
	sid := r.PathValue("content")
	i := slices.IndexFunc(e.contents, func(c *content) bool { return c.SID == sid })
	switch {
	case i >= 0:
		return e.contents[i]
	case sid != "" && sid == e.cfg.Template: // the account has it from the start
		return &content{SID: sid, Account: e.cfg.AccountSID, approval: approval{name: "from_the_start", state: "approved"}}
	}
	return nil
}

func (e *Emulator) fetchApproval(w http.ResponseWriter, r *http.Request) {
	c := e.contentOf(r)
	if c == nil {
		notFound(w, r)
		return
	}
	respond(w, http.StatusOK, map[string]any{"sid": c.SID, "account_sid": c.Account, "url": c.URL + "/ApprovalRequests", "whatsapp": c.resource()})
}

func (e *Emulator) submit(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Name, Category string }
	c := e.contentOf(r)
	switch err := json.NewDecoder(r.Body).Decode(&asked); {
	case c == nil:
		notFound(w, r)
	case err != nil || !templateName.MatchString(asked.Name) || asked.Category != "UTILITY":
		refuse(w, http.StatusBadRequest, 20001, "name must be lower case letters, digits and _, category UTILITY, MARKETING or AUTHENTICATION")
	case c.state != "unsubmitted":
		refuse(w, http.StatusBadRequest, 20001, "this template has been submitted")
	case slices.ContainsFunc(e.contents, func(o *content) bool { return o.name == asked.Name }):
		refuse(w, http.StatusBadRequest, 20001, "there is another template of this name")
	default:
		c.approval = approval{asked.Name, e.review.state, e.review.reason}
		answer := c.resource()
		answer["status"] = "received" // WhatsApp decides later
		respond(w, http.StatusCreated, answer)
	}
}
