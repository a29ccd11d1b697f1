package demo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// stage is the lab's T for a program that people watch: what tests would fail with ends the demo, as an error.
type stage struct {
	ctx context.Context
	dir string

	mu       sync.Mutex
	err      error // the first thing that went wrong
	cleanups []func()
}

// play runs something that uses the stage, to its end or to the first thing that goes wrong.
func (s *stage) play(do func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	<-done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// end takes away what was started, the last first.
func (s *stage) end() {
	s.mu.Lock()
	cleanups := slices.Clone(s.cleanups)
	s.mu.Unlock()
	for _, f := range slices.Backward(cleanups) {
		f()
	}
}

func (s *stage) failed(words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = errors.New(words)
	}
}

// Helper and the others make it a lab.T.
func (s *stage) Helper()                  {}
func (s *stage) Context() context.Context { return s.ctx }
func (s *stage) TempDir() string          { return s.dir }
func (s *stage) Log(...any)               {}
func (s *stage) Logf(string, ...any)      {}
func (s *stage) Error(args ...any)        { s.failed(fmt.Sprint(args...)) }
func (s *stage) Errorf(f string, args ...any) {
	s.failed(fmt.Sprintf(f, args...))
}

// Failed: nobody reads what would be logged then. The logs stay in the directory.
func (s *stage) Failed() bool { return false }

func (s *stage) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

func (s *stage) Fatal(args ...any) {
	s.failed(fmt.Sprint(args...))
	runtime.Goexit()
}

func (s *stage) Fatalf(f string, args ...any) {
	s.failed(fmt.Sprintf(f, args...))
	runtime.Goexit()
}

func (s *stage) Skip(args ...any)            { s.Fatal(args...) }
func (s *stage) Skipf(f string, args ...any) { s.Fatalf(f, args...) }
