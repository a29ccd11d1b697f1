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
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options of one demo.
type Options struct {
	Dendrite string // path of the homeserver's program; empty: looked for
	Once     bool   // end after the story
	Out      io.Writer
	Version  string // of the bridge
}

// startTime is how long everything may take to be ready. A first start on a cold
// disk takes a few seconds.
const startTime = 60 * time.Second

// Run ends with the story if that is asked for, or when something did not happen,
// else with ctx. All it leaves behind are logs, in a directory that the error
// names, and only if something went wrong.
func Run(ctx context.Context, o Options) error {
	program, err := findDendrite(o.Dendrite)
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
func run(ctx context.Context, o Options, program, dir string) error {
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
		if err := w.ready(starting); err != nil {
			return err
		}
		out.note(fmt.Sprintf("A homeserver (Dendrite), the bridge and two phones run on this computer, started in %.1f s.", time.Since(began).Seconds()))
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

// findDendrite gives the program to start.
func findDendrite(path string) (string, error) {
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("There is no Dendrite at %s: give its path with --dendrite, or run `make demo`, which builds it.", path)
		}
		return filepath.Abs(path)
	}
	if built := filepath.Join(".cache", "bin", "dendrite"); executable(built) {
		return filepath.Abs(built)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if found := filepath.Join(dir, "dendrite"); executable(found) {
			return filepath.Abs(found)
		}
	}
	return "", errors.New("The demo needs Dendrite, a small homeserver: run `make demo`, which builds it, or give its path with --dendrite.")
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
