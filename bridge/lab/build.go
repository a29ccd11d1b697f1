package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

var build = sync.OnceValues(func() (string, error) {
	// Checkouts that share a cache have a program each.
	checkout := sha256.Sum256([]byte(repository()))
	dir := filepath.Join(cacheDir(), "bin", hex.EncodeToString(checkout[:4]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Test binaries of several packages may build at the same time. Go replaces the file by a new one, so that a bridge that
	// runs already keeps the one it started from.
	lock, err := os.Create(filepath.Join(dir, "lanekeeper.lock"))
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "lanekeeper")
	flags, cgo := []string{"build", "-buildvcs=false", "-tags", "goolm"}, "CGO_ENABLED=0" // one static binary, as the Dockerfile builds it
	if raceDetector {
		path += "-race"
		flags, cgo = append(flags, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(flags, "-o", path, "./cmd/lanekeeper")...)
	cmd.Dir = repository()
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cmd/lanekeeper: %w\n%s", err, out)
	}
	return path, nil
})

// Binary is the path of ./cmd/lanekeeper, built once per test binary, with the race detector where that has it.
func Binary(t T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
