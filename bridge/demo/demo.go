// Package demo is the whole system on one computer, for people who want to see it
// before they set it up: a homeserver, the bridge, the agents' phones, a project
// with people in it. It plays the main story once, with real messages through the
// real homeserver, and stays up for whoever wants to try more.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options of one demo.
type Options struct {
	Synapse  string // path of a Python that has Synapse
	Dendrite string // path of Dendrite's program; both empty: looked for
	Once     bool   // end after the story
	Out      io.Writer
	Version  string // of the bridge
}

// startTime is how long everything may take to be ready. A first start on a cold
// disk takes some ten seconds.
const startTime = 2 * time.Minute

// Run ends with the story if that is asked for, or when something did not happen,
// else with ctx. All it leaves behind are logs, in a directory that the error
// names, and only if something went wrong.
func Run(ctx context.Context, o Options) error {
	program, err := findServer(o)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lanekeeper-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	err = run(ctx, o, program, dir)
	if err == nil || ctx.Err() != nil {
		_ = os.RemoveAll(dir)
		return nil
	}
	return fmt.Errorf("The demo did not work: %w\nThe logs are in %s.", err, dir)
}

var errPlayed = errors.New("the story is over")

// run starts everything and tells the story; whatever ends first ends the rest.
func run(ctx context.Context, o Options, program server, dir string) error {
	out := newTranscript(o.Out)
	out.title("Lanekeeper " + strings.TrimSpace(o.Version))
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	s := &stage{ctx: ctx, dir: dir}
	defer s.end()
	w, err := newWorld(s, program)
	if err != nil {
		return err
	}
	group.Go(func() error { return w.runHomeserver(ctx) })
	group.Go(func() error { return w.runPhones(ctx) })
	group.Go(func() error { return w.runBridge(ctx, o.Version) })
	group.Go(func() error {
		starting, cancel := context.WithTimeout(ctx, startTime)
		defer cancel()
		waited := out.waits(fmt.Sprintf("Starting a homeserver (%s), the bridge and two phones", program.name()))
		err := w.ready(starting)
		waited()
		if err != nil {
			return err
		}
		out.note(fmt.Sprintf("A homeserver (%s), the bridge and two phones run on this computer, started in %.1f s.", program.name(), time.Since(began).Seconds()))
		if err := play(ctx, w, out); err != nil {
			return err
		}
		out.note(fmt.Sprintf("All of that happened in %.1f s.", time.Since(began).Seconds()))
		if o.Once {
			return errPlayed
		}
		w.invite(out)
		<-ctx.Done()
		return nil
	})
	if err := group.Wait(); !errors.Is(err, errPlayed) {
		return err
	}
	return nil
}
