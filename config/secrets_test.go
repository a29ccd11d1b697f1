package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// counter makes the secrets s1, s2, ….
func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("s%d", n) }
}

// A secret changes its own place in the file and nothing else.
func TestSecretsKeepTheFile(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"a value": {
			"# mine\n\ngate:\n    # the token\n    token: generate # secret\n\n    enabled: true\n",
			"# mine\n\ngate:\n    # the token\n    token: NEW # secret\n\n    enabled: true\n"},
		"in quotes":        {"gate: {enabled: true, token: 'generate'}\n", "gate: {enabled: true, token: NEW}\n"},
		"no value":         {"gate:\n  token:\n  enabled: true", "gate:\n  token: NEW\n  enabled: true"},
		"no key, block":    {"gate: # of Synapse\n   # on\n   enabled: true\n", "gate: # of Synapse\n   token: NEW\n   # on\n   enabled: true\n"},
		"no key, flow":     {"gate: {enabled: true}", "gate: {token: NEW, enabled: true}"},
		"no key, nothing":  {"gate: {} # later\n", "gate: {token: NEW} # later\n"},
		"no group":         {"rooms: {}", "rooms: {}\ngate:\n  token: NEW\n"},
		"an empty file":    {"", "gate:\n  token: NEW\n"},
		"not in ASCII":     {"gate: {x: äöü, token: generate} # ✅\n", "gate: {x: äöü, token: NEW} # ✅\n"},
		"Windows":          {"gate:\r\n  token: generate\r\n", "gate:\r\n  token: NEW\r\n"},
		"a group in flow":  {"{gate: {token: generate}, rooms: {}}\n", "{gate: {token: NEW}, rooms: {}}\n"},
		"a group, empty":   {"# mine\ngate:\n# rest\nrooms: {}\n", "# mine\ngate:\n  token: NEW\n# rest\nrooms: {}\n"},
		"an alias":         {"rooms: {version: &x generate}\ngate: {token: *x}\n", "rooms: {version: &x generate}\ngate: {token: NEW}\n"},
		"all in one group": {"{rooms: {}}\n", "{rooms: {}, gate: {token: NEW}}\n"},
		"two documents":    {"gate: {enabled: true}\n---\nx: y\n", "gate: {token: NEW, enabled: true}\n---\nx: y\n"},
		"end of document":  {"rooms: {}\n...\n", "rooms: {}\ngate:\n  token: NEW\n"},
		"folded over":      {"gate:\n  token: >-\n    generate\n", "gate:\n  token: NEW\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := setInText([]byte(c.before), "gate.token", "NEW")
			if err != nil || string(got) != c.after {
				t.Errorf("got\n%s\nwant\n%s\n%v", got, c.after, err)
			}
		})
	}
}

func TestSecretsAreSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, file("# mine\nappservice: {hs_token: given}\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	load := func() *File {
		f, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := load()
	if f.Config.Registered() {
		t.Error("registered without tokens")
	}
	if err := f.Secrets(true, true, counter()); err != nil {
		t.Fatal(err)
	}
	c := load().Config
	if c.Gate.Token != "s1" || c.Media.SigningKey != "s2" || c.AppService.ASToken != "s3" || c.AppService.HSToken != "given" || !c.Registered() {
		t.Errorf("saved: %+v %+v %+v", c.Gate, c.Media, c.AppService)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	before, _ := os.ReadFile(path)
	if err := load().Secrets(true, true, counter()); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Errorf("changed again:\n%s", after)
	}
}

// A secret from the environment stays out of the file.
func TestSecretsOfTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, file(""), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path, []string{"LANEKEEPER_MEDIA_SIGNING_KEY=private"})
	if err != nil {
		t.Fatal(err)
	}
	if err = f.Secrets(false, true, counter()); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); strings.Contains(string(text), "private") || f.Config.Media.SigningKey != "private" {
		t.Errorf("got %q and\n%s", f.Config.Media.SigningKey, text)
	}
}

// What must be the same after a restart is not made up for one run.
func TestSecretsThatCannotBeSaved(t *testing.T) {
	f, err := parse("config.yaml", file("gate: {enabled: true}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var problems *Problems
	if err = f.Secrets(false, false, counter()); !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	want := "gate.token is to be generated, but -n forbids to save it: give it a long random value in the file or in the environment."
	if got := sentences(problems); got != want {
		t.Errorf("got %s", got)
	}
}

// Whatever the file looks like, a secret gets in alone or not at all.
func FuzzSecretsKeepTheValues(f *testing.F) {
	for _, seed := range []string{
		"gate: {enabled: true}\n", "gate:\n  # x\n  enabled: true\nrooms: {}\n", "gate:\n", "{gate: {}}", "rooms: [a, {b: c}]\n...\n",
		"gate:\n- x\n", "? gate\n: token: generate\n", "gate: &a {x: y}\nb: *a\n", "\"gate\": {\"token\": \"generate\"}\n", "gate:\n  token: |\n    generate\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		edited, err := setInText([]byte(text), "gate.token", "NEW")
		if err == nil && !onlySets([]byte(text), edited, "gate", "token", "NEW") {
			t.Fatalf("%s\nbecame\n%s", text, edited)
		}
	})
}
