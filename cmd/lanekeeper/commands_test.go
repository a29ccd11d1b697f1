package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lanekeeper/bridge/reconcile"
)

// A container asks the bridge through this command whether it lives.
func TestHealth(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	path := filepath.Join(t.TempDir(), "config.yaml")
	config := fmt.Sprintf("homeserver: {domain: lab.test}\npermissions: {'*': user}\nappservice: {port: %s, hostname: 0.0.0.0}\n", port)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	ask := func() (code int, said string) {
		var out bytes.Buffer
		code = run(t.Context(), []string{"health", "-c", path}, &out, &out)
		return code, out.String()
	}
	if code, said := ask(); code != 0 || said != "" {
		t.Errorf("alive: exit %d %s", code, said)
	}
	status = http.StatusServiceUnavailable
	if code, said := ask(); code != 1 || !strings.Contains(said, "answers 503 Service Unavailable") {
		t.Errorf("not alive: exit %d %s", code, said)
	}
	server.Close()
	if code, said := ask(); code != 1 || !strings.Contains(said, "does not answer") {
		t.Errorf("stopped: exit %d %s", code, said)
	}
}

func TestPlanIsPrinted(t *testing.T) {
	steps := []reconcile.Step{{Room: "customer", Op: "kick", Text: "Xena leaves <Customer · Acme>"}}
	for _, c := range []struct {
		steps []reconcile.Step
		json  bool
		want  string
	}{
		{nil, false, "Nothing would change.\n"},
		{nil, true, "{\n  \"steps\": []\n}\n"},
		{steps, false, "customer: Xena leaves <Customer · Acme>\n"},
		{steps, true, `{
  "steps": [
    {
      "room": "customer",
      "op": "kick",
      "text": "Xena leaves <Customer · Acme>"
    }
  ]
}
`},
	} {
		var out bytes.Buffer
		if err := printPlan(&out, c.steps, c.json); err != nil || out.String() != c.want {
			t.Errorf("got %s%v, want %s", out.String(), err, c.want)
		}
	}
}

// Errors of other packages bring their exit code and one sentence.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		said string
	}{
		{nil, 0, ""},
		{fail(exitChanges, ""), 2, ""},
		{fmt.Errorf("disk on fire"), 1, "disk on fire\n"},
		{fmt.Errorf("start: %w", fail(11, "Do this.")), 11, "start: Do this.\n"},
		{coded{}, 14, "Cannot listen.\n"},
	} {
		var out bytes.Buffer
		if code := report(c.err, &out); code != c.code || out.String() != c.said {
			t.Errorf("%v: exit %d %q, want %d %q", c.err, code, out.String(), c.code, c.said)
		}
	}
}

type coded struct{}

func (coded) Error() string { return "Cannot listen." }
func (coded) ExitCode() int { return 14 }
