package lab_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"lanekeeper/bridge/lab"
)

// A write that is hung up on reached the server or did not, as asked for; reads always pass.
func TestProxy(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			reached.Add(1)
		}
		body, _ := io.ReadAll(r.Body)
		w.Write(append([]byte("got "), body...))
	}))
	defer server.Close()
	proxy := lab.NewProxy(t, server.URL)
	// Without reuse of connections: net/http repeats an idempotent request by itself if a reused connection breaks.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	write := func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, proxy.URL, strings.NewReader("it"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			return "hung up"
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return string(body)
	}

	hungUp := 0
	proxy.Set(func(n int, r *http.Request) lab.Fault {
		return []lab.Fault{lab.Pass, lab.HangUpBefore, lab.HangUpAfter}[n%3]
	}, func() { hungUp++ })
	for i, want := range []string{"hung up", "hung up", "got it"} {
		if got := write(); got != want {
			t.Errorf("write %d: %s, not %s", i+1, got, want)
		}
	}
	if reached.Load() != 2 || hungUp != 2 || proxy.Writes() != 3 {
		t.Errorf("%d of %d writes reached the server, %d hung up", reached.Load(), proxy.Writes(), hungUp)
	}
	proxy.Set(func(int, *http.Request) lab.Fault { return lab.HangUpBefore }, nil)
	if res, err := client.Get(proxy.URL); err != nil {
		t.Errorf("a read does not pass: %v", err)
	} else {
		res.Body.Close()
	}
}
