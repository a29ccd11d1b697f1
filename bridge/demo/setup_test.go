package demo

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The programs that tools/demo.sh calls, as far as it knows them.
const (
	fakeGo = `#!/bin/sh
while [ $# -gt 0 ]; do case $1 in -o) shift; out=$1 ;; version) exit ;; esac; shift; done
while [ -e "$WAIT" ]; do sleep 0.05; done
case $out in
*/demo) [ -z "$BROKEN" ] || { echo "demo.go:1: no such thing" >&2; exit 1; } ;;
*/) out=${out}dendrite ;;
esac
printf '#!/bin/sh\necho "started: $*"\n' >"$out"
chmod +x "$out"
`
	fakePython = `#!/bin/sh
[ "$1" != install ] || [ -z "$NO_PACKAGE" ] || { echo "no package for this computer" >&2; exit 1; }
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin"
cp "$0" "$3/bin/python"
cp "$0" "$3/bin/pip"
`
	refuses = "#!/bin/sh\nexit 1\n"
)

// setup runs tools/demo.sh with programs that do nothing, in an empty cache.
func setup(t *testing.T, programs map[string]string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	bin, cache := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"go": fakeGo, "python3": fakePython, "apt-get": refuses} {
		if other, ok := programs[name]; ok {
			text = other
		}
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("../../tools/demo.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), script, args...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "LANEKEEPER_TEST_CACHE="+cache, "TERM=dumb", "WAIT=", "BROKEN=", "NO_PACKAGE=")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// What `make demo` starts on which computer, and what it says where something is missing.
func TestSetUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		programs  map[string]string
		env, args []string
		starts    string // the demo's arguments; empty: nothing
		says      string
	}{
		"Python is there":         {args: []string{"auto", "--once"}, starts: "demo --synapse CACHE/venv/bin/python --once"},
		"no Python":               {programs: map[string]string{"python3": refuses}, args: []string{"auto", "--once"}, starts: "demo --dendrite CACHE/bin/dendrite --once", says: "Python 3.10 with its module venv is not here"},
		"Synapse does not come":   {env: []string{"NO_PACKAGE=1"}, args: []string{"auto"}, starts: "demo --dendrite CACHE/bin/dendrite", says: "no package for this computer\n  So the demo runs on Dendrite"},
		"Dendrite is asked for":   {args: []string{"dendrite"}, starts: "demo --dendrite CACHE/bin/dendrite"},
		"Synapse is asked for":    {env: []string{"NO_PACKAGE=1"}, args: []string{"synapse"}, says: "no package for this computer"},
		"a homeserver is given":   {programs: map[string]string{"python3": refuses}, args: []string{"auto", "--dendrite", "/my/dendrite", "--once"}, starts: "demo --dendrite /my/dendrite --once"},
		"it cannot be compiled":   {env: []string{"BROKEN=1"}, args: []string{"auto"}, says: "This failed: compiling Lanekeeper\n    demo.go:1: no such thing\n"},
		"without any instruction": {starts: "demo --synapse CACHE/venv/bin/python"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := setup(t, c.programs, c.env, c.args...)
			var out, said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &said
			err := cmd.Run()
			want := ""
			if c.starts != "" {
				want = "started: " + strings.ReplaceAll(c.starts, "CACHE", cacheOf(cmd)) + "\n"
			}
			if (err == nil) != (c.starts != "") || out.String() != want || !strings.Contains(said.String(), c.says) || c.says == "" && said.Len() > 0 && !strings.Contains(said.String(), "Setting up") {
				t.Errorf("%v: it starts %q, not %q, and says\n%s", err, &out, want, &said)
			}
		})
	}
}

func cacheOf(cmd *exec.Cmd) (cache string) {
	for _, kv := range cmd.Env {
		if dir, ok := strings.CutPrefix(kv, "LANEKEEPER_TEST_CACHE="); ok {
			cache = dir
		}
	}
	return cache
}

// While something is being made, lines say what and for how long; an interrupt ends all of it.
func TestSetUpSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	for _, interrupted := range []bool{false, true} {
		wait := filepath.Join(t.TempDir(), "wait")
		if err := os.WriteFile(wait, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := setup(t, nil, []string{"WAIT=" + wait}, "auto")
		said, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		found := false
		for !found && lines.Scan() {
			found = strings.Contains(lines.Text(), " s  compiling Lanekeeper")
		}
		if !found {
			t.Error("it does not say that it compiles")
		}
		if interrupted {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Remove(wait); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(said) // ends when nobody is left who could write
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); (err != nil) != interrupted {
			t.Errorf("interrupted %v: %v", interrupted, err)
		}
		if done := strings.Contains(string(rest)+lines.Text(), "Lanekeeper is compiled ("); done == interrupted {
			t.Errorf("interrupted %v: it says %s", interrupted, rest)
		}
	}
}
