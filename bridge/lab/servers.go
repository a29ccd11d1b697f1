package lab

import (
	"os"
	"path/filepath"
	"sync"
)

// repository is the directory of the module's go.mod: tests run in the directory of their package, somewhere below.
var repository = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
	}
	return dir
})

// cacheDir is where `make servers` puts the test servers.
func cacheDir() string {
	if dir := os.Getenv("LANEKEEPER_TEST_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(repository(), ".cache")
}

// cached is the path of a file in the cache. Without it the test is skipped; where CI is set it fails, because there
// everything has to run.
func cached(t T, name, what string) string {
	t.Helper()
	path := filepath.Join(cacheDir(), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	missing(t, what)
	return ""
}

// missing ends a test that cannot run here.
func missing(t T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed: run `make servers`", what)
	}
	t.Skipf("SKIPPED, NOT PASSED: %s is not installed: run `make servers`", what)
}
