package config

import (
	"bytes"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/policy"
)

// The file at the top of the repository is what -e writes.
func TestExampleIsAtTheTop(t *testing.T) {
	top, err := os.ReadFile("../example-config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(top, Example) {
		t.Error("example-config.yaml differs from config/example-config.yaml: copy one over the other")
	}
}

// Every value of the example is the default, but for those that must be changed.
func TestExampleShowsTheDefaults(t *testing.T) {
	file, _ := parse("config.yaml", Example, nil)
	got, want := file.Config, Default()
	want.Homeserver.Domain = exampleDomain
	want.AppService.PublicAddress = examplePublic
	want.Permissions = policy.Permissions{"*": "none", "example.org": "user", "@olga:example.org": "ops", "@root:example.org": "superadmin"}
	want.WhatsApp.AccountSID = exampleSID
	want.WhatsApp.Agents = []Agent{{Number: exampleNumber, Name: "Dana"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if !strings.Contains(string(Example), policy.DefaultYAML) {
		t.Error("roles and profiles of the example are not bridge/policy/default.yaml")
	}
}

// No key is left out. Of logging, which belongs to zeroconfig, one is enough.
func TestExampleShowsEveryKey(t *testing.T) {
	root, err := parseTree(Example)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(scalars())) {
		key := scalars()[name]
		if key.path[0] == "logging" {
			continue
		}
		node := root
		for _, part := range key.path {
			if node = lookup(node, part); node == nil {
				t.Errorf("%s is not in the example", strings.Join(key.path, "."))
				break
			}
		}
	}
}

// No variable of ours is mistaken for one of others.
func TestVariablesAreOurs(t *testing.T) {
	for name := range scalars() {
		if notOurs.MatchString(name) {
			t.Errorf("%s is taken for a variable of others", name)
		}
	}
}

func TestExampleIsNotOverwritten(t *testing.T) {
	path := t.TempDir() + "/config.yaml"
	if err := WriteExample(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteExample(path); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("now holds %q", text)
	}
}
