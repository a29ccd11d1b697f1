package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lanekeeper/bridge/lab"
)

// server is the homeserver of a demo: what it is, and the program that runs it.
type server struct {
	kind lab.Kind
	path string
}

// name is what people call it.
func (s server) name() string {
	if s.kind == lab.KindSynapse {
		return "Synapse"
	}
	return "Dendrite"
}

// findServer gives the homeserver to start: the one that was asked for, else what
// `make demo` has left here, Synapse first, as clients show threads on it.
func findServer(o Options) (server, error) {
	switch {
	case o.Synapse != "" && o.Dendrite != "":
		return server{}, errors.New("The demo runs on one homeserver: give --synapse or --dendrite, not both.")
	case o.Synapse != "":
		return named(lab.KindSynapse, o.Synapse, "There is no Python at %s: give the path of one that has Synapse with --synapse, or run `make demo`, which installs it.")
	case o.Dendrite != "":
		return named(lab.KindDendrite, o.Dendrite, "There is no Dendrite at %s: give its path with --dendrite, or run `make demo HOMESERVER=dendrite`, which builds it.")
	}
	// The version is written when everything is installed.
	venv := filepath.Join(".cache", "venv")
	if _, err := os.Stat(filepath.Join(venv, "version")); err == nil {
		if python := filepath.Join(venv, "bin", "python"); executable(python) {
			return absolute(lab.KindSynapse, python)
		}
	}
	if built := filepath.Join(".cache", "bin", "dendrite"); executable(built) {
		return absolute(lab.KindDendrite, built)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if found := filepath.Join(dir, "dendrite"); executable(found) {
			return absolute(lab.KindDendrite, found)
		}
	}
	return server{}, errors.New("The demo needs a homeserver: run `make demo`, which installs one, or give a Python that has Synapse with --synapse, or Dendrite with --dendrite.")
}

func named(kind lab.Kind, path, missing string) (server, error) {
	if !executable(path) {
		return server{}, fmt.Errorf(missing, path)
	}
	return absolute(kind, path)
}

// absolute: the program is started in a directory of its own. A link stays one: by it
// Python finds what is installed.
func absolute(kind lab.Kind, path string) (server, error) {
	path, err := filepath.Abs(path)
	return server{kind, path}, err
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
