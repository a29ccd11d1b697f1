package labtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"lanekeeper/bridge/lab"
)

// Kills says at which writes to the homeserver KillPoints kills the bridge.
type Kills struct {
	// Share is how many runs the points are spread over: each run has one of so many.
	Share int
	// Choose, if it is set, says whether a point is tried at all: a sample.
	Choose func() bool
}

// KillPoints proves that a scenario survives kill -9 at every one of its writes to the homeserver. It plays the scenario
// again and again, and kills the bridge at each write that it did not see before: once before the homeserver gets it, and
// once after the homeserver has done it. Each time the bridge is started again at once. The scenario itself waits for its
// end and checks it; all it may notice is that things take longer. Then every command has one answer, and nothing is left to
// do. KillPoints ends with a run without a kill. It gives the number of kills.
//
// Two writes are the same if they differ only in what is random, or in the number of the run, which counts from 1: names have
// to be made as "run1". The world needs a Proxy.
func KillPoints(t *testing.T, w *lab.World, k Kills, scenario func(t *testing.T, run int)) (kills int) {
	points := map[string]int{} // → the run, modulo Share, in which it is tried; -1: done with
	kinds := map[string]string{}
	for run, quiet := 1, false; !quiet && !t.Failed(); run++ {
		t.Run(fmt.Sprintf("run %d", run), func(t *testing.T) {
			w.During(t)
			quiet = true
			dying := &dying{bridge: w.Bridge}
			w.Proxy.Set(func(_ int, r *http.Request) lab.Fault {
				if dying.yet() {
					return lab.HangUpBefore // the process writes several things at the same time
				}
				name := writeName(w, r, kinds)
				for _, fault := range []lab.Fault{lab.HangUpBefore, lab.HangUpAfter} {
					point := fmt.Sprint(fault, " ", name)
					turn, known := points[point]
					if !known {
						if turn = len(points) % k.Share; k.Choose != nil && !k.Choose() {
							turn = -1
						}
						points[point] = turn
					}
					if turn == -1 {
						continue
					}
					quiet = false
					if turn == run%k.Share {
						points[point] = -1
						kills++
						dying.begin()
						t.Logf("killed at %.150s", point)
						return fault
					}
				}
				return lab.Pass
			}, dying.end)
			scenario(t, run)
			w.Proxy.Set(nil, nil)
			if err := dying.back(); err != nil { // the last write of all may have been one to die of
				t.Fatal(err)
			}
			w.Bridge.Ready()
			w.CheckAnswers()
			w.CheckSettled(fmt.Sprintf("run %d", run))
		})
	}
	return kills
}

// dying is a bridge that shall be killed, and started again, once for each time, whatever else it is about.
type dying struct {
	bridge *lab.Bridge

	mu    sync.Mutex
	ended chan struct{} // nil: it need not die
	err   error
}

func (d *dying) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = make(chan struct{})
}

func (d *dying) yet() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended != nil
}

// end kills it and starts it again, unless somebody else did.
func (d *dying) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended == nil {
		return
	}
	d.bridge.Kill9()
	d.err = errors.Join(d.err, d.bridge.Launch())
	close(d.ended)
	d.ended = nil
}

// back waits until it runs again if it had to die.
func (d *dying) back() error {
	d.mu.Lock()
	ended := d.ended
	d.mu.Unlock()
	if ended != nil {
		<-ended
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

var (
	aRoom   = regexp.MustCompile(`![A-Za-z0-9_=:.-]+`)
	aTxn    = regexp.MustCompile(`(/(?:send/[^/]+|redact/[^/]+)/)[^/]+$`)
	aRandom = regexp.MustCompile(`(?:lanekeeper_)?[a-z2-7]{26}|\$[A-Za-z0-9_-]+|(?i:run)?[0-9]+`)
)

// writeName is what a write does, without what is random. Kinds remembers what rooms are.
func writeName(w *lab.World, r *http.Request, kinds map[string]string) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "cut"
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	path := aTxn.ReplaceAllString(strings.TrimPrefix(r.URL.Path, "/_matrix/client/v3"), "$1")
	path = aRoom.ReplaceAllStringFunc(path, func(room string) string {
		if kinds[room] == "" {
			if kinds[room] = w.Bridge.AsBot().State(room, "lanekeeper.lane", "").Field("kind"); kinds[room] == "" {
				kinds[room] = "room"
			}
		}
		return kinds[room]
	})
	return fmt.Sprintf("%s %s %s", r.Method, aRandom.ReplaceAllString(path, ""), aRandom.ReplaceAll(aRoom.ReplaceAll(body, nil), nil))
}
