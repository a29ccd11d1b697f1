package emulator_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/whatsapp"
)

const (
	sid      = "AC0123456789abcdef0123456789abcdef"
	token    = "12345"
	from     = "whatsapp:+14155238886"
	template = "HX0123456789abcdef0123456789abcdef"
	public   = "https://lanes.example.org"

	dana = "+4915100000001"
	eli  = "+4915100000002"

	// twilio holds what Twilio has published, with its licence.
	twilio = "../whatsapp/testdata/"
)

// account is an emulator that is held to Twilio's contract, and a product behind
// it that notes what it is told.
type account struct {
	*emulator.Emulator
	t   *testing.T
	URL string // of the API

	mu       sync.Mutex
	now      time.Time
	inbound  []whatsapp.Inbound
	statuses []whatsapp.Status
	down     bool          // the product answers 503
	told     chan struct{} // one for each webhook
}

func newAccount(t *testing.T, change func(*emulator.Config)) *account {
	t.Helper()
	a := &account{t: t, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), told: make(chan struct{}, 1000)}
	product := httptest.NewServer(a.product())
	t.Cleanup(product.Close)
	api := httptest.NewUnstartedServer(nil)
	cfg := emulator.Config{
		AccountSID: sid, AuthToken: token, APIKey: "SK1", APISecret: "secret", From: from, Template: template,
		Public: public, Deliver: product.URL, Phones: []emulator.Phone{{Number: dana, Name: "Dana"}, {Number: eli, Name: "Eli"}},
		Open: true, Now: a.clock, Address: "http://" + api.Listener.Addr().String(),
	}
	if change != nil {
		change(&cfg)
	}
	a.Emulator = emulator.New(t.Context(), cfg)
	api.Config.Handler = contract(t, a.Handler())
	api.Start()
	a.URL = api.URL
	t.Cleanup(func() {
		a.Close() // ends the streams of events, for which the server would wait
		api.Close()
	})
	return a
}

// client is the product's own client of the account.
func (a *account) client() *whatsapp.Client {
	a.t.Helper()
	c, err := whatsapp.New(whatsapp.Config{
		AccountSID: sid, AuthToken: token, From: from, TemplateSID: template, APIBaseURL: a.URL, PublicAddress: public, Now: a.clock,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// product is the product's own side of the webhooks.
func (a *account) product() http.Handler {
	c, err := whatsapp.New(whatsapp.Config{AccountSID: sid, AuthToken: token, From: from, PublicAddress: public})
	if err != nil {
		a.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(whatsapp.InboundPath, c.Inbound(func(_ context.Context, in whatsapp.Inbound) error {
		return a.note(func() { a.inbound = append(a.inbound, in) })
	}))
	mux.Handle(whatsapp.StatusPath, c.Status(func(_ context.Context, s whatsapp.Status) error {
		return a.note(func() { a.statuses = append(a.statuses, s) })
	}))
	return mux
}

func (a *account) note(add func()) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		return context.DeadlineExceeded
	}
	add()
	a.told <- struct{}{}
	return nil
}

func (a *account) clock() time.Time { a.mu.Lock(); defer a.mu.Unlock(); return a.now }

// patience only ends a broken test.
const patience = 90 * time.Second

func (a *account) pass(d time.Duration) { a.mu.Lock(); a.now = a.now.Add(d); a.mu.Unlock() }

// until waits for webhooks until check, called under the lock, is content.
func (a *account) until(what string, check func() bool) {
	a.t.Helper()
	for {
		a.mu.Lock()
		ok := check()
		a.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-a.told:
		case <-time.After(patience):
			a.t.Fatalf("the product was not told %s: %+v %+v", what, a.inbound, a.statuses)
		}
	}
}

// toldStatuses waits for n callbacks in all and gives those of a message.
func (a *account) toldStatuses(sid string, n int) (list []string) {
	a.t.Helper()
	a.until("enough callbacks", func() bool { return len(a.statuses) >= n })
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.statuses {
		if s.MessageSID == sid {
			list = append(list, s.Status)
		}
	}
	return list
}

// wait waits until a message has a status.
func (a *account) wait(sid, status string) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	if !a.Wait(ctx, func(all []emulator.Message) bool {
		return slices.ContainsFunc(all, func(m emulator.Message) bool { return m.SID == sid && m.Status == status })
	}) {
		a.t.Fatalf("%s did not become %s: %v", sid, status, a.Reported(sid))
	}
}

// contract holds what the emulator answers, and what it accepts, to Twilio's own
// description of the Messages API.
func contract(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	router := messagesAPI(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/Messages") {
			next.ServeHTTP(w, r) // the page, and the account, which the description lacks
			return
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r) // a cut connection panics past what is below
		route, params, err := router.FindRoute(r)
		if err != nil {
			if rec.Code < 400 && !strings.Contains(r.URL.Path, "/Media/ME") { // the bytes of a file are not described
				t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			}
		} else {
			checkExchange(t, r, body, rec, route, params)
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func checkExchange(t *testing.T, r *http.Request, body []byte, rec *httptest.ResponseRecorder, route *routers.Route, params map[string]string) {
	t.Helper()
	in := &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeRequestBody: true,
	}}
	if rec.Code < 400 {
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
			t.Errorf("accepted %s %s: %v", r.Method, r.URL.Path, err)
		}
		checkForm(t, route.Operation, body)
	}
	if !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") {
		return // a proxy's page of HTML
	}
	// Only creating describes its errors: they look the same everywhere.
	if rec.Code >= 400 {
		post := route.Spec.Paths.Find("/2010-04-01/Accounts/{AccountSid}/Messages.json").Post
		route = &routers.Route{Spec: route.Spec, Server: route.Server, Path: route.Path, PathItem: route.PathItem, Method: http.MethodPost, Operation: post}
		in = &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params}
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: rec.Code, Header: rec.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(r.Context(), out.SetBodyBytes(rec.Body.Bytes())); err != nil {
		t.Errorf("answered %s %s: %v", r.Method, r.URL.Path, err)
	}
}

// checkForm holds a form to its schema, field by field: the library's decoder
// takes a field that is not there for a null.
func checkForm(t *testing.T, op *openapi3.Operation, body []byte) {
	t.Helper()
	if op.RequestBody == nil {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		t.Error(err)
	}
	properties := op.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value.Properties
	for name, values := range form {
		schema := properties[name]
		if schema == nil {
			t.Errorf("%s is no parameter of Twilio's, and was accepted", name)
			continue
		}
		var v any = values[0]
		if schema.Value.Type.Is("array") {
			v = []any{values[0]}
		}
		if err := schema.Value.VisitJSON(v); err != nil {
			t.Errorf("accepted %s: %v", name, err)
		}
	}
}

func messagesAPI(t *testing.T) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(twilio + "twilio_messages_slice.json")
	if err != nil {
		t.Fatal(err)
	}
	// The servers are named at every path: ours is another.
	doc.Servers = openapi3.Servers{{URL: "/"}}
	for _, p := range doc.Paths.Map() {
		p.Servers = nil
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}
