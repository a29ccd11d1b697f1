package main

import (
	"context"
	"io"

	"github.com/rs/zerolog"

	"lanekeeper/config"
)

func runBridge(ctx context.Context, cfg *config.Config, log zerolog.Logger, version string) error {
	return fail(exitFailed, "not written yet")
}

func runDoctor(ctx context.Context, cfg *config.Config, out io.Writer) (healthy bool, err error) {
	return false, fail(exitFailed, "not written yet")
}

func runPlan(ctx context.Context, cfg *config.Config, slug string, cached bool, log zerolog.Logger) ([]step, error) {
	return nil, fail(exitFailed, "not written yet")
}

type step struct {
	Room string `json:"room"`
	Op   string `json:"op"`
	Text string `json:"text"`
}

func runDemo(ctx context.Context, dendrite string, once bool, out io.Writer) error {
	return fail(exitFailed, "not written yet")
}
