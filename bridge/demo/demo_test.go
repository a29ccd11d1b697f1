package demo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// dendrite is where `make servers` puts the homeserver.
func dendrite(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("LANEKEEPER_TEST_CACHE")
	if cache == "" {
		cache = "../../.cache"
	}
	path := filepath.Join(cache, "bin", "dendrite")
	if !executable(path) {
		if os.Getenv("CI") != "" {
			t.Fatal("Dendrite is not installed: run `make servers`")
		}
		t.Skip("SKIPPED, NOT PASSED: Dendrite is not installed: run `make servers`")
	}
	return path
}

// tempDir is where the demo of this test leaves what it leaves.
func tempDir(t *testing.T) func() []string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return func() (left []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			left = append(left, e.Name())
		}
		return left
	}
}

// The whole story happens, and nothing of it stays on the disk.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo starts a homeserver and plays for some seconds")
	}
	program, left := dendrite(t), tempDir(t)
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Dendrite: program, Once: true, Out: &out, Version: "test"}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	text := out.String()
	from := 0
	for _, words := range []string{
		"Acme website stands", "accept @xena", "lets them in", "reacts with ✅", "Which logo shall I use", "reacts with 🙋",
		"Support request 2 is waiting", "[ Show ]", "Tomorrow at noon", "Closed by Dana", "taps [ Show ]", "**Eli:** Yes, once the customer", "And Carl?",
	} {
		at := strings.Index(text[from:], words)
		if at < 0 {
			t.Errorf("%q is not where it should be in:\n%s", words, text)
			break
		}
		from += at
	}
	if strings.Contains(text, "\x1b") {
		t.Error("colours where there is no terminal")
	}
	if l := left(); len(l) > 0 {
		t.Errorf("it left %v behind", l)
	}
}

// Ctrl-C ends it at any moment, without a complaint, and leaves nothing.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo starts a homeserver")
	}
	program, left := dendrite(t), tempDir(t)
	ctx, interrupt := context.WithCancel(t.Context())
	out := &until{words: "1 · ", then: interrupt}
	if err := Run(ctx, Options{Dendrite: program, Out: out, Version: "test"}); err != nil {
		t.Error(err)
	}
	if l := left(); len(l) > 0 {
		t.Errorf("it left %v behind", l)
	}
}

// until does something once it was told these words.
type until struct {
	words string
	then  func()
}

func (u *until) Write(p []byte) (int, error) {
	if strings.Contains(string(p), u.words) {
		u.then()
	}
	return len(p), nil
}

// A homeserver that does not start ends the demo at once, with its own words.
func TestBrokenHomeserver(t *testing.T) {
	left := tempDir(t)
	program := filepath.Join(t.TempDir(), "dendrite")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho no disk >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err := Run(t.Context(), Options{Dendrite: program, Once: true, Out: &bytes.Buffer{}})
	if err == nil || !strings.Contains(err.Error(), "no disk") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("it says %v", err)
	}
	if l := left(); len(l) != 1 || !strings.Contains(err.Error(), l[0]) {
		t.Errorf("the error should name the logs in %v: %v", l, err)
	}
	if took := time.Since(began); took > 45*time.Second { // it would wait for a minute
		t.Errorf("it took %s", took)
	}
}

// Without Dendrite one sentence says how to get it.
func TestNoDendrite(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATH", t.TempDir())
	for _, path := range []string{"", "nowhere/dendrite"} {
		err := Run(t.Context(), Options{Dendrite: path, Out: &bytes.Buffer{}})
		if err == nil || !strings.Contains(err.Error(), "make demo") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := os.MkdirAll(".cache/bin", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(".cache/bin/dendrite", nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if found, err := findDendrite(""); err != nil || !filepath.IsAbs(found) {
		t.Errorf("found %q, %v", found, err)
	}
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"one two three", []string{"one two", "three"}},
		{"a\n\nb", []string{"a", "", "b"}},
		{"averylongword x", []string{"averylongword", "x"}},
	} {
		if got := wrap(tc.text, 8); !slices.Equal(got, tc.want) {
			t.Errorf("%q: %q", tc.text, got)
		}
	}
}
