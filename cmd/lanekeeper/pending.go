package main

import (
	"context"
	"io"
)

func runDemo(ctx context.Context, dendrite string, once bool, out io.Writer) error {
	return fail(exitFailed, "not written yet")
}
