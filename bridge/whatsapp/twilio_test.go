package whatsapp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const (
	account = "AC00000000000000000000000000000000"
	token   = "12345"
	agent   = "+15551112222"
	sid1    = "SM00000000000000000000000000000001"
)

func config(api string) Config {
	return Config{AccountSID: account, AuthToken: token, From: "whatsapp:+14155238886", APIBaseURL: api, PublicAddress: "https://lanes.example.org",
		Now: func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }}
}

func newClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.transport.(*http.Transport).DisableKeepAlives = true
	return c
}

// contract is Twilio's own description of the Messages API, cut down.
func contract(t *testing.T) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/twilio_messages_slice.json")
	if err != nil {
		t.Fatal(err)
	}
	// The servers are named at every path and operation: ours is another.
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

// fakeTwilio is a server that holds every request to Twilio's contract before it
// answers; it returns a client for it.
func fakeTwilio(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	router := contract(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeRequestBody: true}})
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		checkForm(t, r, route.Operation)
		if user, pass, _ := r.BasicAuth(); user != account || pass != token {
			t.Errorf("credentials %q", user)
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return newClient(t, config(s.URL))
}

// checkForm holds the form to its schema, field by field: the library's decoder
// takes a field that is not there for a null.
func checkForm(t *testing.T, r *http.Request, op *openapi3.Operation) {
	if err := r.ParseForm(); err != nil {
		t.Error(err)
	}
	var properties openapi3.Schemas
	if op.RequestBody != nil {
		properties = op.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value.Properties
	}
	for name, values := range r.PostForm {
		schema := properties[name]
		if schema == nil {
			t.Errorf("%s is no parameter of Twilio's", name)
			continue
		}
		var v any = values[0]
		if schema.Value.Type.Is("array") {
			v = []any{values[0]}
		} else if len(values) > 1 {
			t.Errorf("%s is sent twice", name)
		}
		if err := schema.Value.VisitJSON(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func respond(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}
