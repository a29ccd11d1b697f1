package matrix

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxTransaction bounds the body of a transaction, in bytes.
const maxTransaction = 16 << 20

// Handler answers the homeserver's calls below /_matrix/app/
// (https://spec.matrix.org/v1.15/application-service-api/). Input is the bot's own
// sync, so a transaction only wakes it; wake must not block.
func (c *Client) Handler(wake func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /_matrix/app/v1/transactions/{txn}", func(w http.ResponseWriter, r *http.Request) {
		if takeTransaction(w, r) {
			wake()
			answer(w, http.StatusOK, nil)
		}
	})
	mux.HandleFunc("GET /_matrix/app/v1/users/{user}", func(w http.ResponseWriter, r *http.Request) {
		if c.stands(r.PathValue("user")) {
			answer(w, http.StatusOK, nil)
			return
		}
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "There is no such user.")
	})
	mux.HandleFunc("GET /_matrix/app/v1/rooms/{alias}", func(w http.ResponseWriter, r *http.Request) {
		// The homeserver asks for aliases that it does not have, and we make
		// none on demand.
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "There is no such room.")
	})
	mux.HandleFunc("POST /_matrix/app/v1/ping", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, nil)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "M_UNRECOGNIZED", "There is no such path.")
	})
	return c.fromHomeserver(mux)
}

// fromHomeserver lets only the holder of the hs_token pass.
func (c *Client) fromHomeserver(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(c.cfg.HSToken))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || token == "" {
			refuse(w, http.StatusUnauthorized, "M_MISSING_TOKEN", "The hs_token is missing.")
			return
		}
		// Hashed, so that the comparison does not tell the length either.
		have := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(have[:], want[:]) != 1 {
			refuse(w, http.StatusForbidden, "M_FORBIDDEN", "This is not our hs_token.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// takeTransaction reads a transaction to its end and tells whether it is one.
func takeTransaction(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTransaction))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "M_TOO_LARGE", "A transaction has at most 16 MB.")
		return false
	}
	var transaction map[string]json.RawMessage
	if err != nil || json.Unmarshal(body, &transaction) != nil || transaction == nil {
		refuse(w, http.StatusBadRequest, "M_NOT_JSON", "The transaction is not a JSON object.")
		return false
	}
	return true
}

// answer writes headers and body at once: Synapse waits 40 ms for a body that
// comes in a second packet.
func answer(w http.ResponseWriter, status int, body map[string]string) {
	data := []byte("{}")
	if body != nil {
		data, _ = json.Marshal(body) // strings cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the caller is gone: it will ask again
}

func refuse(w http.ResponseWriter, status int, code, sentence string) {
	answer(w, status, map[string]string{"errcode": code, "error": sentence})
}
