package bulkhead_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"lanekeeper/bridge/bulkhead"
)

// C2: a call that hangs holds a slot and nobody; its outcome is there when the
// caller comes back.
func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &bulkhead.Pool{Slots: 2, PerServer: 1, Home: "home", Linger: time.Second}
		hang, woken := make(chan int), make(chan string, 10)
		ask := func(name, server string) (int, error) {
			return bulkhead.Do(t.Context(), p, name, server, func() { woken <- name }, func(context.Context) (int, error) { return <-hang, nil })
		}
		quick := func(name, server string) error {
			_, err := bulkhead.Do(t.Context(), p, name, server, func() { woken <- name }, func(context.Context) (int, error) { return 0, nil })
			return err
		}
		began := time.Now()
		if _, err := ask("a", "dead"); !errors.Is(err, bulkhead.ErrUnderWay) || time.Since(began) != time.Second || !p.UnderWay("a") {
			t.Errorf("a: %v after %s", err, time.Since(began))
		}
		if _, err := ask("a", "dead"); !errors.Is(err, bulkhead.ErrUnderWay) || time.Since(began) != time.Second {
			t.Errorf("a again: %v after %s", err, time.Since(began))
		}
		if err := quick("b", "dead"); !errors.Is(err, bulkhead.ErrFull) {
			t.Errorf("another one to that server: %v", err)
		}
		for range 3 { // slots are free again
			if err := quick("c", "home"); err != nil {
				t.Errorf("to another server: %v", err)
			}
		}
		hang <- 7
		if one, other := <-woken, <-woken; one+other != "ab" {
			t.Errorf("woken: %s, %s", one, other)
		}
		if n, err := ask("a", "dead"); n != 7 || err != nil {
			t.Errorf("a: %d %v", n, err)
		}
		for _, name := range []string{"x", "y"} {
			if _, err := ask(name, "home"); !errors.Is(err, bulkhead.ErrUnderWay) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := quick("z", "home"); !errors.Is(err, bulkhead.ErrFull) {
			t.Errorf("beyond the slots: %v", err)
		}
		close(hang)
		p.Wait()
	})
}

// C2: an outcome that nobody needed any more is not taken for that of a later call.
func TestForget(t *testing.T) {
	p := &bulkhead.Pool{Slots: 4, PerServer: 4, Linger: time.Millisecond}
	calls, hang, woken := 0, make(chan struct{}), make(chan struct{}, 1)
	call := func() (int, error) {
		return bulkhead.Do(t.Context(), p, "a", "x", func() { woken <- struct{}{} }, func(context.Context) (int, error) {
			calls++
			<-hang
			return calls, nil
		})
	}
	if _, err := call(); !bulkhead.Waits(err) {
		t.Fatal(err)
	}
	close(hang)
	<-woken
	p.Forget("a")
	p.Linger = time.Minute
	if n, err := call(); n != 2 || err != nil {
		t.Errorf("call %d: %v", n, err)
	}
	// While it is under way, too.
	hang, p.Linger = make(chan struct{}), time.Millisecond
	if _, err := call(); !bulkhead.Waits(err) {
		t.Fatal(err)
	}
	p.Forget("a")
	close(hang)
	p.Wait()
	p.Linger = time.Minute
	if n, err := call(); n != 4 || err != nil {
		t.Errorf("call %d: %v", n, err)
	}
}
