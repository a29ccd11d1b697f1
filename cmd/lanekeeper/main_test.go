package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lanekeeper/config"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lanekeeper": main})
}

// The scripts in testdata read as documentation of the command line.
func TestScripts(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(refuse))
	t.Cleanup(refusing.Close) // after the scripts, which run in parallel
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title>")
	}))
	t.Cleanup(page.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			port, err := freePort()
			env.Setenv("PORT", port)
			env.Setenv("REFUSING", refusing.URL)
			env.Setenv("PAGE", page.URL)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "listening": listening},
	})
}

// refuse is a homeserver that has not read the registration.
func refuse(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_matrix/client/versions" {
		_, _ = io.WriteString(w, `{"versions": ["v1.11"]}`)
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed."}`)
}

// freePort gives a port that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// listening waits until somebody listens: listening PORT.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening PORT")
	}
	try := time.NewTicker(20 * time.Millisecond)
	defer try.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-try.C {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+args[0]); err == nil {
			ts.Check(conn.Close())
			return
		}
	}
	ts.Fatalf("nobody listens on port %s", args[0])
}

// exits runs a program and wants an exact exit code: exits 10 lanekeeper -c x.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if coded, ok := err.(interface{ ExitCode() int }); ok {
		got = coded.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// registration.yaml at the top of the repository is what -g writes for the
// example config, with tokens that nobody can use by mistake.
func TestRegistrationSample(t *testing.T) {
	cfg := config.Default()
	cfg.Homeserver.Domain = "example.org"
	cfg.AppService.ASToken, cfg.AppService.HSToken = "made by lanekeeper -g", "made by lanekeeper -g, another one"
	want, err := registration(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const path = "../../registration.yaml"
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("registration.yaml should read\n%s", want)
	}
}

func TestVersionIsOfThisBuild(t *testing.T) {
	defer func(old string) { tag = old }(tag)
	tag = "v1.2.3"
	if got := version(); !bytes.HasPrefix([]byte(got), []byte("v1.2.3 (")) {
		t.Errorf("got %q", got)
	}
}
