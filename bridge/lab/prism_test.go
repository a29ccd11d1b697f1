package lab

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// What is not as Twilio describes it is noticed, in a request as in an answer; what is, and an answer that is lost, is not.
func TestPrismNotices(t *testing.T) {
	t.Cleanup(endPrism)
	account := "/2010-04-01/Accounts/" + accountSID
	form := url.Values{"To": {"whatsapp:" + Dana}, "From": {sender}, "Body": {"hello"}}
	listing := `{"messages": [], "page": 0, "page_size": 50, "start": 0, "end": 0, "uri": "/x", "first_page_uri": "/x", "next_page_uri": null, "previous_page_uri": null}`
	for _, c := range []struct {
		name, answer string // "": cut
		form         url.Values
		broken       int
	}{
		{"all right", listing, nil, 0},
		{"a wrong answer", `{"messages": "none"}`, nil, 1},
		{"no receiver", `{}`, url.Values{"Body": {"hello"}}, 1},
		{"cut", "", form, 0},
	} {
		handler, contract := underContract(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.answer == "" {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(c.answer))
		}))
		if contract.missed != "" {
			missing(t, contract.missed)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		method := http.MethodGet
		if c.form != nil {
			method = http.MethodPost
		}
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+account+"/Messages.json", strings.NewReader(c.form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if c.form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		req.SetBasicAuth(accountSID, authToken)
		if res, err := httpClient.Do(req); err == nil {
			_ = res.Body.Close()
		} else if c.answer != "" {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(contract.broken) != c.broken || contract.asked != 1 {
			t.Errorf("%s: %d asked, %q", c.name, contract.asked, contract.broken)
		}
	}
}
