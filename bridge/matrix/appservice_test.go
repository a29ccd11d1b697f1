package matrix_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the homeserver may ask, and what anybody else gets.
func TestHandler(t *testing.T) {
	const transaction, events = "/_matrix/app/v1/transactions/7", `{"events":[{"type":"m.room.message"}]}`
	woken := 0
	handler := newClient(t, "http://localhost:8008", "lanes.test").Handler(func() { woken++ })
	for _, c := range []struct {
		name, method, path, auth, body string
		status                         int
		code                           string
		wakes                          int
	}{
		{"transaction", "PUT", transaction, "Bearer hs-secret", events, 200, "", 1},
		{"empty transaction", "PUT", transaction, "Bearer hs-secret", `{}`, 200, "", 1},
		{"again", "PUT", transaction, "Bearer hs-secret", events, 200, "", 1},
		{"no token", "PUT", transaction, "", events, 401, "M_MISSING_TOKEN", 0},
		{"no bearer", "PUT", transaction, "hs-secret", events, 401, "M_MISSING_TOKEN", 0},
		{"empty token", "PUT", transaction, "Bearer ", events, 401, "M_MISSING_TOKEN", 0},
		{"wrong token", "PUT", transaction, "Bearer as-secret", events, 403, "M_FORBIDDEN", 0},
		{"token in the query", "PUT", transaction + "?access_token=hs-secret", "", events, 401, "M_MISSING_TOKEN", 0},
		{"longer token", "PUT", transaction, "Bearer hs-secret2", events, 403, "M_FORBIDDEN", 0},
		{"broken", "PUT", transaction, "Bearer hs-secret", `{"events":[`, 400, "M_NOT_JSON", 0},
		{"nothing", "PUT", transaction, "Bearer hs-secret", ``, 400, "M_NOT_JSON", 0},
		{"no object", "PUT", transaction, "Bearer hs-secret", `null`, 400, "M_NOT_JSON", 0},
		{"16 MB", "PUT", transaction, "Bearer hs-secret", filled(16 << 20), 200, "", 1},
		{"over 16 MB", "PUT", transaction, "Bearer hs-secret", filled(16<<20 + 1), 413, "M_TOO_LARGE", 0},
		{"bot", "GET", "/_matrix/app/v1/users/@lanekeeper:lanes.test", "Bearer hs-secret", "", 200, "", 0},
		{"bot, escaped", "GET", "/_matrix/app/v1/users/%40lanekeeper%3Alanes.test", "Bearer hs-secret", "", 200, "", 0},
		{"ghost never made", "GET", "/_matrix/app/v1/users/@lanekeeper_x:lanes.test", "Bearer hs-secret", "", 404, "M_NOT_FOUND", 0},
		{"alias", "GET", "/_matrix/app/v1/rooms/%23lanekeeper_x%3Alanes.test", "Bearer hs-secret", "", 404, "M_NOT_FOUND", 0},
		{"ping", "POST", "/_matrix/app/v1/ping", "Bearer hs-secret", `{"transaction_id":"x"}`, 200, "", 0},
		{"ping, wrong token", "POST", "/_matrix/app/v1/ping", "Bearer x", `{}`, 403, "M_FORBIDDEN", 0},
		{"another path", "GET", "/_matrix/app/v1/thirdparty/protocol/x", "Bearer hs-secret", "", 404, "M_UNRECOGNIZED", 0},
		{"legacy path", "PUT", "/transactions/7", "Bearer hs-secret", events, 404, "M_UNRECOGNIZED", 0},
	} {
		woken = 0
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		w := &counting{ResponseRecorder: httptest.NewRecorder()}
		handler.ServeHTTP(w, r)
		var body struct{ Errcode, Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Errorf("%s: %s", c.name, w.Body)
		}
		if w.Code != c.status || body.Errcode != c.code || (c.code == "") != (w.Body.String() == "{}") || woken != c.wakes {
			t.Errorf("%s: %d %s, woken %d times", c.name, w.Code, w.Body, woken)
		}
		if w.writes != 1 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d writes, %s", c.name, w.writes, w.Header())
		}
	}
}

type counting struct {
	*httptest.ResponseRecorder
	writes int
}

func (c *counting) Write(b []byte) (int, error) { c.writes++; return c.ResponseRecorder.Write(b) }

// filled is a JSON object of n bytes.
func filled(n int) string {
	return `{"events":["` + strings.Repeat("x", n-len(`{"events":[""]}`)) + `"]}`
}

// A transaction that breaks off is no transaction.
func TestHandlerBrokenOff(t *testing.T) {
	woken := false
	handler := newClient(t, "http://localhost:8008", "lanes.test").Handler(func() { woken = true })
	r := httptest.NewRequest(http.MethodPut, "/_matrix/app/v1/transactions/7", io.MultiReader(strings.NewReader(`{}`), broken{}))
	r.Header.Set("Authorization", "Bearer hs-secret")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || woken {
		t.Error(w.Code, w.Body, woken)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
