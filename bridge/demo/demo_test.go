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

// servers are where `make servers` puts the homeservers.
func servers(t *testing.T) map[string]Options {
	t.Helper()
	cache := os.Getenv("LANEKEEPER_TEST_CACHE")
	if cache == "" {
		cache = "../../.cache"
	}
	found := map[string]Options{
		"Synapse":  {Synapse: filepath.Join(cache, "venv", "bin", "python")},
		"Dendrite": {Dendrite: filepath.Join(cache, "bin", "dendrite")},
	}
	for name, o := range found {
		if _, err := findServer(o); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed: run `make servers`", name)
		}
		t.Skipf("SKIPPED, NOT PASSED: %s is not installed: run `make servers`", name)
	}
	return found
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

// The whole story happens, on either homeserver, and nothing of it stays on the disk.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo starts a homeserver and plays for some seconds")
	}
	for name, o := range servers(t) {
		t.Run(name, func(t *testing.T) {
			left := tempDir(t)
			var out bytes.Buffer
			o.Once, o.Out, o.Version = true, &out, "test"
			if err := Run(t.Context(), o); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			played(t, out.String(), name)
			if l := left(); len(l) > 0 {
				t.Errorf("it left %v behind", l)
			}
		})
	}
}

// played wants the story in its order.
func played(t *testing.T, text, server string) {
	t.Helper()
	from := 0
	for _, words := range []string{
		"Starting a homeserver (" + server + ")", "A homeserver (" + server + "), the bridge and two phones run",
		"project create acme", "accepts the invitation", "accept @xena", "reacts with ✅", "Which logo shall I use", "reacts with 🙋",
		"[ Show ]", "Tomorrow at noon", "done 2", "taps [ Show ]", "Yes, once the customer", "And Carl?",
	} {
		at := strings.Index(text[from:], words)
		if at < 0 {
			t.Errorf("%q is not where it should be in:\n%s", words, text)
			break
		}
		from += at
	}
	if strings.Contains(text, "\x1b") || strings.Contains(text, "\r") {
		t.Error("colours where there is no terminal")
	}
}

// Ctrl-C ends it at any moment, without a complaint, and leaves nothing.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo starts a homeserver")
	}
	for name, o := range servers(t) {
		for _, moment := range []string{"Starting a homeserver", "1 · "} {
			t.Run(name+" at "+moment, func(t *testing.T) {
				left := tempDir(t)
				ctx, interrupt := context.WithCancel(t.Context())
				o.Out, o.Version = &until{words: moment, then: interrupt}, "test"
				if err := Run(ctx, o); err != nil {
					t.Error(err)
				}
				if l := left(); len(l) > 0 {
					t.Errorf("it left %v behind", l)
				}
			})
		}
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
	program := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho no disk >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{"Dendrite": {Dendrite: program}, "Synapse": {Synapse: program}} {
		t.Run(name, func(t *testing.T) {
			left := tempDir(t)
			began := time.Now()
			o.Once, o.Out = true, &bytes.Buffer{}
			err := Run(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), "no disk") || !strings.Contains(err.Error(), "exit status 3") {
				t.Errorf("it says %v", err)
			}
			if l := left(); len(l) != 1 || err == nil || !strings.Contains(err.Error(), l[0]) {
				t.Errorf("the error should name the logs in %v: %v", l, err)
			}
			if took := time.Since(began); took > 90*time.Second { // it would wait for two minutes
				t.Errorf("it took %s", took)
			}
		})
	}
}

// Without a homeserver one sentence says how to get one; what `make demo` has left is found, Synapse first.
func TestFindServer(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATH", t.TempDir())
	for _, o := range []Options{{}, {Dendrite: "nowhere/dendrite"}, {Synapse: "nowhere/python"}, {Synapse: "a", Dendrite: "b"}} {
		o.Out = &bytes.Buffer{}
		err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "--synapse") && !strings.Contains(err.Error(), "--dendrite") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v", o, err)
		}
	}
	put := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(".cache/venv/bin/python") // half installed
	put(".cache/bin/dendrite")
	if found, err := findServer(Options{}); err != nil || found.name() != "Dendrite" || !filepath.IsAbs(found.path) {
		t.Errorf("found %v, %v", found, err)
	}
	put(".cache/venv/version")
	if found, err := findServer(Options{}); err != nil || found.name() != "Synapse" || !filepath.IsAbs(found.path) {
		t.Errorf("found %v, %v", found, err)
	}
}

// On a terminal one line counts the seconds and is gone when it is over; elsewhere lines stay.
func TestWaits(t *testing.T) {
	for terminal, want := range map[bool]string{false: "  Starting …\n", true: "\r\x1b[K  Starting …\r\x1b[K"} {
		var out bytes.Buffer
		(&transcript{out: &out, terminal: terminal}).waits("Starting")()
		if out.String() != want {
			t.Errorf("terminal %v: %q", terminal, &out)
		}
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

// Two demos beside each other share no address, though nothing of them listens yet but their pages.
func TestBeside(t *testing.T) {
	found, err := findServer(servers(t)["Dendrite"])
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for range 2 {
		s := &stage{ctx: t.Context(), dir: t.TempDir()}
		w, err := newWorld(s, found)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.page.Close(); w.phones.Close() })
		for _, address := range []string{w.homeserver.URL, w.cfg.AppService.Address, w.address()} {
			if taken[address] {
				t.Errorf("%s belongs to both", address)
			}
			taken[address] = true
		}
	}
}
