package matrix_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/matrix"
)

// D19: a 429 lets all calls of its kind wait, whatever room they are about, and no
// others.
func TestPause(t *testing.T) {
	client, calls := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invite") {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":600000}`)
			return
		}
		fmt.Fprint(w, `{"versions":["v1.11"],"m.upload.size":1}`)
	})
	if _, err := client.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	*calls = 0
	for n := range 3 {
		err := client.Invite(t.Context(), fmt.Sprint("!", n), "@carl:lanes.test", "")
		if !matrix.IsCode(err, "M_LIMIT_EXCEEDED") || !matrix.Temporary(err) || n > 0 && matrix.RetryAfter(err) > time.Minute {
			t.Errorf("%d: %v, after %s", n, err, matrix.RetryAfter(err))
		}
	}
	if err := client.Leave(t.Context(), "", "!0"); err != nil || *calls != 2 {
		t.Errorf("%d calls, %v", *calls, err)
	}
}
