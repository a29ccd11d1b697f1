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

	pace func(letters int) time.Duration // tests hurry
	open time.Duration                   // and wait this long for their browser
}

// startTime is how long everything may take to be ready. It is a few seconds, and
// many more on a computer that is busy.
const startTime = 2 * time.Minute

// openTime is how long the story waits for somebody who opens the page.
const openTime = 20 * time.Second

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
	if o.pace != nil {
		w.director.pace = o.pace
	}
	if !o.Once {
		out.note("Open " + w.address() + " in a browser: everybody at once, and the story step by step.")
	}
	group.Go(func() error { return w.runPage(ctx) })
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
		if o.Once {
			_, err := playOnce(ctx, w, out)
			if err == nil {
				out.note(fmt.Sprintf("All of that happened in %.1f s.", time.Since(began).Seconds()))
				err = errPlayed
			}
			return err
		}
		patience := o.open
		if out.terminal {
			patience = openTime
		}
		return stay(ctx, w, out, patience)
	})
	if err := group.Wait(); !errors.Is(err, errPlayed) {
		return err
	}
	return nil
}

// playOnce plays the story, and tells which play it was.
func playOnce(ctx context.Context, w *world, out *transcript) (play int, err error) {
	ctx, play = w.director.begin(ctx)
	err = tell(ctx, w, out, play)
	w.director.end(err)
	return play, err
}

// stay plays the story for whoever watches, again when they want it, and lets
// them do what they like in between. Somebody who takes part can keep the story
// from going on: that is said, and ends nothing.
func stay(ctx context.Context, w *world, out *transcript, patience time.Duration) error {
	w.director.wait(patience)
	for {
		again := w.director.wanted()
		play, err := playOnce(ctx, w, out)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, errAgain) {
			out.note(fmt.Sprintf("The story did not go on: %v. On the page it can begin again.", err))
		}
		if play == 1 && !errors.Is(err, errAgain) {
			w.invite(out)
		}
		select {
		case <-again:
		case <-ctx.Done():
			return nil
		}
	}
}
