package bridgetest

import (
	"fmt"
	"net/http"
	"testing"
)

// KillPoints proves that a scenario survives kill -9 at any of its writes to the homeserver. It plays the scenario again and
// again: in the nth run the bridge is killed at the nth write, once before the homeserver gets it and once after the
// homeserver has done it, and started again at once. The scenario itself waits for its end; all it may notice is that things
// take longer. Then every command has one answer, and nothing is left to do. KillPoints ends when a run needs no more writes
// than were tried. With every > 1, only the first of so many writes is tried.
//
// The world needs a Proxy. Run counts from 1 and is there to make names.
func (w *World) KillPoints(t *testing.T, every int, scenario func(t *testing.T, run int)) {
	run := 0
	for n := 1; ; n += every {
		for _, fault := range []Fault{HangUpBefore, HangUpAfter} {
			run++
			killed := false
			name := fmt.Sprintf("before write %d", n)
			if fault == HangUpAfter {
				name = fmt.Sprintf("after write %d", n)
			}
			t.Run(name, func(t *testing.T) {
				w.During(t)
				launched := make(chan error, 1)
				w.Proxy.Set(func(write int, _ *http.Request) Fault {
					if write == n {
						return fault
					}
					return Pass
				}, func() {
					w.Bridge.Kill9()
					launched <- w.Bridge.Launch()
				})
				scenario(t, run)
				w.Proxy.Set(nil, nil)
				select {
				case err := <-launched:
					killed = true
					if err != nil {
						t.Fatal(err)
					}
				default:
				}
				w.Bridge.Ready()
				w.CheckAnswers()
				w.CheckSettled(name)
			})
			if t.Failed() || !killed {
				return
			}
		}
	}
}
