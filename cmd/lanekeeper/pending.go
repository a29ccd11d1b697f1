package main

import (
	"context"
	"io"
)

func command(ctx context.Context, o *options, stdout io.Writer) error {
	file, err := load(o)
	if err != nil {
		return err
	}
	if o.command == "" {
		if err = file.Secrets(false, !o.noUpdate, newSecret); err != nil {
			return err
		}
	}
	return fail(exitFailed, "not written yet")
}
