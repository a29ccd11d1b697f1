package main

import (
	"bytes"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lanekeeper/config"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lanekeeper": main})
}

// The scripts in testdata read as documentation of the command line.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
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
