package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"lanekeeper/config"
)

const usage = `Lanekeeper keeps each project's people in the right Matrix rooms, and brings their
questions to WhatsApp.

  lanekeeper -c config.yaml            run
  lanekeeper -e -c config.yaml         write the example config ("-c -": print it)
  lanekeeper -g -c config.yaml -r registration.yaml
                                       write the registration for the homeserver
  lanekeeper doctor -c config.yaml     check everything, and say what to do
  lanekeeper plan -c config.yaml [--json] [--cached] [PROJECT]
                                       what would change in Matrix; exit code 2 if anything
  lanekeeper phones -c config.yaml     phones to try it with, in place of Twilio and WhatsApp
                                       (where whatsapp.api_base_url says, on this computer only)
  lanekeeper whatsapp template submit -c config.yaml [--name NAME] [--language en]
                                       have the template approved that wakes an agent after 24 hours
  lanekeeper whatsapp template status|use -c config.yaml [--name NAME]
                                       how far that is; write its id into the config
  lanekeeper health -c config.yaml     exit code 0 if the one that runs here answers (for containers)
  lanekeeper demo [--once] [--synapse PYTHON | --dendrite PATH]
                                       try the whole system on this computer

  -c, --config FILE                    the config (default config.yaml)
  -r, --registration FILE              the registration (default registration.yaml)
  -e, --generate-example-config        write the example config, never over a file
  -g, --generate-registration          make the tokens and write the registration
  -n, --no-update                      never write to the config
  -v, --version                        print the version
  -h, --help                           print this

  --json                               plan: print the steps as JSON
  --cached                             plan: compare with what events told us, without asking Matrix
  --name NAME                          whatsapp template: its name (default lanekeeper_waiting)
  --language CODE                      whatsapp template submit: of its words (default en)
  --once                               demo: end after the story
  --synapse PYTHON                     demo: run on the Synapse that this Python has
  --dendrite PATH                      demo: run on this Dendrite
                                       (without either: on what "make demo" has installed here)

Every key of the config can also come from the environment: LANEKEEPER_DATABASE_URI,
or LANEKEEPER_DATABASE_URI_FILE for a file that holds the value.

Exit codes: 0 success, 1 failed (doctor found something), 2 plan has steps, 10 config,
11 registration, 12 database, 13 the homeserver refuses us or is too old, 14 cannot
listen.
`

// options is the command line.
type options struct {
	command string // empty: run; else one of commands

	config, registration string
	example, generate    bool
	noUpdate             bool
	version, help        bool

	json, cached bool     // plan
	words        []string // after the command
	name         string   // whatsapp template
	language     string   // whatsapp template submit
	synapse      string   // demo
	dendrite     string   // demo
	once         bool     // demo
}

// commands are all there are, with how many words may follow each.
var commands = map[string]int{"doctor": 0, "plan": 1, "phones": 0, "whatsapp": 2, "health": 0, "demo": 0}

// parse reads the command line. Flags may stand before and after words.
func parse(args []string) (*options, error) {
	o := &options{config: "config.yaml", registration: "registration.yaml", name: "lanekeeper_waiting", language: "en"}
	fs := o.flags("")
	if err := fs.Parse(args); err != nil {
		return nil, mistyped(fs, err)
	}
	if fs.NArg() == 0 {
		return o, nil
	}
	o.command = fs.Arg(0)
	maxWords, known := commands[o.command]
	if !known {
		return nil, fmt.Errorf("there is no command %q%s", o.command, config.Suggest(o.command, slices.Sorted(maps.Keys(commands))))
	}
	fs, rest := o.flags(o.command), fs.Args()[1:]
	for {
		if err := fs.Parse(rest); err != nil {
			return nil, mistyped(fs, err)
		}
		if fs.NArg() == 0 {
			break
		}
		if len(o.words) == maxWords {
			return nil, fmt.Errorf("%q is one word too many", fs.Arg(0))
		}
		o.words, rest = append(o.words, fs.Arg(0)), fs.Args()[1:]
	}
	if o.example || o.generate {
		return nil, errors.New("-e and -g stand alone, without a command")
	}
	return o, nil
}

// mistyped says in our words that there is no such flag, and which one may be meant.
func mistyped(fs *flag.FlagSet, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err
	}
	var long []string
	fs.VisitAll(func(f *flag.Flag) {
		if len(f.Name) > 1 {
			long = append(long, "--"+f.Name)
		}
	})
	if len(name) == 1 {
		return fmt.Errorf("there is no flag -%s", name)
	}
	return fmt.Errorf("there is no flag --%s%s", name, config.Suggest("--"+name, long))
}

// flags makes the flags of one command; "" is running.
func (o *options) flags(command string) *flag.FlagSet {
	fs := flag.NewFlagSet("lanekeeper", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	text := func(to *string, names ...string) {
		for _, n := range names {
			fs.StringVar(to, n, *to, "")
		}
	}
	yes := func(to *bool, names ...string) {
		for _, n := range names {
			fs.BoolVar(to, n, *to, "")
		}
	}
	text(&o.config, "c", "config")
	text(&o.registration, "r", "registration")
	yes(&o.example, "e", "generate-example-config")
	yes(&o.generate, "g", "generate-registration")
	yes(&o.noUpdate, "n", "no-update")
	yes(&o.version, "v", "version")
	yes(&o.help, "h", "help")
	switch command {
	case "plan":
		yes(&o.json, "json")
		yes(&o.cached, "cached")
	case "whatsapp":
		text(&o.name, "name")
		text(&o.language, "language")
	case "demo":
		text(&o.synapse, "synapse")
		text(&o.dendrite, "dendrite")
		yes(&o.once, "once")
	}
	return fs
}
