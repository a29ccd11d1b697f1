package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge"
	"lanekeeper/bridge/demo"
	"lanekeeper/bridge/doctor"
	"lanekeeper/bridge/reconcile"
	"lanekeeper/config"
)

// command runs the bridge or one of the subcommands.
func command(ctx context.Context, o *options, stdout io.Writer) error {
	if o.command == "demo" {
		return demo.Run(ctx, demo.Options{Synapse: o.synapse, Dendrite: o.dendrite, Once: o.once, Out: stdout, Version: version()})
	}
	file, err := config.Load(o.config, os.Environ())
	if err != nil {
		return err
	}
	cfg := file.Config
	switch o.command {
	case "doctor": // missing tokens are one of its findings
		return runDoctor(ctx, o, cfg, stdout)
	case "health":
		return health(ctx, cfg)
	case "phones":
		return phones(ctx, cfg, o.config, stdout)
	case "whatsapp":
		return templates(ctx, file, o, stdout)
	}
	if !cfg.Registered() {
		return fail(exitRegistration, "%s has no tokens for the homeserver (appservice.as_token and appservice.hs_token): run `lanekeeper -g -c %s -r %s` and give that registration to the homeserver.",
			o.config, o.config, o.registration)
	}
	if o.command == "plan" {
		return plan(ctx, cfg, o, stdout)
	}
	if err = file.Secrets(false, !o.noUpdate, newSecret); err != nil {
		return err
	}
	zerolog.TimeFieldFormat = timeFormat
	for i := range cfg.Logging.Writers {
		w := &cfg.Logging.Writers[i]
		w.TimeFormat = cmp.Or(w.TimeFormat, timeFormat)
	}
	log, err := cfg.Logging.Compile()
	if err != nil {
		return fail(exitConfig, "logging cannot be used (%v): correct it, or remove the group for the default.", err)
	}
	for _, exposed := range exposed(o) {
		log.Warn().Msg(exposed)
	}
	return bridge.Run(ctx, cfg, *log, version())
}

// exposed says which of the files with secrets everybody on this computer can read.
func exposed(o *options) (sentences []string) {
	for _, path := range []string{o.config, o.registration} {
		if s := config.Exposed(path); s != "" {
			sentences = append(sentences, s)
		}
	}
	return sentences
}

// timeFormat is RFC 3339 in milliseconds, of one length: lines stay aligned.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func runDoctor(ctx context.Context, o *options, cfg *config.Config, stdout io.Writer) error {
	if !doctor.Check(ctx, cfg, doctor.Files{Config: o.config, Registration: o.registration, Notes: exposed(o)}, stdout) {
		return fail(exitFailed, "") // it has said what
	}
	return nil
}

// plan prints the steps that apply would take.
func plan(ctx context.Context, cfg *config.Config, o *options, stdout io.Writer) error {
	steps, err := bridge.Plan(ctx, cfg, strings.Join(o.words, ""), o.cached, zerolog.Nop())
	if err != nil {
		return err
	}
	if err = printPlan(stdout, steps, o.json); err == nil && len(steps) > 0 {
		return fail(exitChanges, "")
	}
	return err
}

func printPlan(stdout io.Writer, steps []reconcile.Step, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"steps": append([]reconcile.Step{}, steps...)})
	}
	for _, s := range steps {
		fmt.Fprintf(stdout, "%s: %s\n", s.Room, s.Text)
	}
	if len(steps) == 0 {
		fmt.Fprintln(stdout, "Nothing would change.")
	}
	return nil
}

// health asks a running bridge on this computer whether it lives; containers,
// which have no other program, use it for their health check.
func health(ctx context.Context, cfg *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	address := cfg.AppService.Here() + "/livez"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Transport{}).RoundTrip(req) // never through a proxy
	if err != nil {
		return fail(exitFailed, "%s does not answer: look at the log of the bridge.", address)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fail(exitFailed, "%s answers %s: look at the log of the bridge.", address, answer.Status)
	}
	return nil
}
