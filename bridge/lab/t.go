package lab

import (
	"context"
	"flag"
)

// T is whoever runs something here: a test, or a program that shows the system to people. Every T is one. FailNow
// and those that call it end the goroutine, as they do in tests.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	TempDir() string
	Failed() bool
	Log(args ...any)
	Logf(format string, args ...any)
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Skip(args ...any)
	Skipf(format string, args ...any)
}

// shortRun tells whether this is a run of go test -short. (testing.Short would bring the package testing into the program.)
func shortRun() bool {
	f := flag.Lookup("test.short")
	return f != nil && f.Value.String() == "true"
}
