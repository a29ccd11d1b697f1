package lab

import (
	"os"
	"path/filepath"
)

// FreePort is a loopback port that nobody listens on.
func FreePort(t T) int { t.Helper(); return freePort(t) }

// Beside starts the bridge's program once more with other arguments, until the test ends, and waits until an address of it
// answers 200.
func (b *Bridge) Beside(name, ready string, args ...string) (log func() string) {
	b.t.Helper()
	p, err := startProcess(b.Dir, name, nil, append([]string{b.binary}, args...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(p.kill9)
	if err := p.ready(b.t.Context(), ready); err != nil {
		b.t.Fatal(err)
	}
	return func() string {
		raw, err := os.ReadFile(filepath.Join(b.Dir, name+".log"))
		if err != nil {
			b.t.Error(err)
		}
		return string(raw)
	}
}
