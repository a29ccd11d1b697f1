package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// W16, R24: what everybody can read becomes its owner's; what a group may read stays so.
func TestPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if Exposed(path) != "" || MakePrivate(path) != "" {
		t.Error("a file that is not there is told of")
	}
	for before, after := range map[os.FileMode]os.FileMode{0o644: 0o600, 0o604: 0o600, 0o666: 0o600, 0o640: 0o640, 0o600: 0o600, 0o400: 0o400} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, before); err != nil {
			t.Fatal(err)
		}
		exposed, said := Exposed(path), MakePrivate(path)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != after {
			t.Errorf("%o becomes %o, want %o (%v)", before, info.Mode().Perm(), after, err)
		}
		if told := before != after; told != strings.Contains(said, path) || told != strings.Contains(exposed, "chmod o-rwx "+path) {
			t.Errorf("%o: said %q and %q", before, exposed, said)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
