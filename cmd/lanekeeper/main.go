// Lanekeeper keeps each project's people in the right Matrix rooms and brings their
// questions to WhatsApp. This is the command line; see -h.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.mau.fi/util/random"

	"lanekeeper/config"
)

// Exit codes that this package decides itself; the others come with the error.
const (
	exitFailed       = 1 // also for a command line that makes no sense
	exitChanges      = 2 // plan found something to change
	exitConfig       = 10
	exitRegistration = 11
)

// stopTime is how long a stop may take before the process ends anyhow. What is
// not done then stands in the database and is done after the next start.
const stopTime = 9 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		time.AfterFunc(stopTime, func() {
			fmt.Fprintln(os.Stderr, "Stopped before all work was done; the rest is done after the next start.")
			os.Exit(0)
		})
	})
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// failure is an exit with a sentence that says what to do.
type failure struct {
	code     int
	sentence string
}

func (f *failure) Error() string { return f.sentence }

func fail(code int, format string, args ...any) error {
	return &failure{code, fmt.Sprintf(format, args...)}
}

// run carries out one command line and gives the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "lanekeeper: %v; see lanekeeper -h\n", err)
		return exitFailed
	}
	switch {
	case o.help:
		fmt.Fprint(stdout, usage)
	case o.version:
		fmt.Fprintln(stdout, "lanekeeper", version())
	case o.example:
		err = writeExample(o.config, stdout)
	case o.generate:
		err = generate(o, stdout)
	default:
		err = command(ctx, o, stdout)
	}
	return report(err, stderr)
}

// report prints why something failed and gives the exit code.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	code := exitFailed
	var f *failure
	var problems *config.Problems
	var coded interface{ ExitCode() int }
	switch {
	case errors.As(err, &f):
		code = f.code
	case errors.As(err, &problems):
		code = exitConfig
	case errors.As(err, &coded):
		code = coded.ExitCode()
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, text)
	}
	return code
}

func writeExample(path string, stdout io.Writer) error {
	if path == "-" {
		_, err := stdout.Write(config.Example)
		return err
	}
	if err := config.WriteExample(path); err != nil {
		return fail(exitConfig, "%v", err)
	}
	fmt.Fprintf(stdout, "Wrote %s. Change what is marked CHANGE, then run `lanekeeper -g -c %s -r registration.yaml`.\n", path, path)
	return nil
}

// generate writes the registration. Tokens that the config has are kept, so that
// it can be repeated after a change of the config.
func generate(o *options, stdout io.Writer) error {
	file, err := config.Load(o.config, os.Environ())
	if err != nil {
		return err
	}
	if err = file.Secrets(true, !o.noUpdate, newSecret); err != nil {
		return err
	}
	if err = writeRegistration(file.Config, o.registration); err != nil {
		return fail(exitRegistration, "%v", err)
	}
	// The registration is read by the homeserver, as some user: its mode is told only.
	for _, said := range []string{config.MakePrivate(o.config), config.Exposed(o.registration)} {
		if said != "" {
			fmt.Fprintln(stdout, said)
		}
	}
	fmt.Fprintf(stdout, "Wrote %s. Give it to the homeserver and restart that; `lanekeeper doctor -c %s` then says what is left to do.\n", o.registration, o.config)
	return nil
}

func newSecret() string { return random.String(64) }
