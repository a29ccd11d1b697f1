// Package statements is what TestCollector reads.
package statements

import (
	"context"
	"os"
	"strings"
)

type database struct{}

func (database) Exec(context.Context, string, ...any) error  { return nil }
func (database) Query(context.Context, string, ...any) error { return nil }

var db database

const columns = "SELECT x FROM "

func constants(ctx context.Context, some []string) error {
	query := columns + "a"
	if len(some) > 0 {
		query += " WHERE x IN (" + strings.Join(some, ",") + ")"
	}
	return db.Query(ctx, query, some)
}

func where(ctx context.Context, condition string) error {
	return db.Query(ctx, columns+"t WHERE "+condition, 1)
}

func callers(ctx context.Context) error {
	if err := where(ctx, "a=$1"); err != nil {
		return err
	}
	return where(ctx, "b=$1")
}

func loop(ctx context.Context) error {
	for _, table := range []string{"a", "b"} {
		if err := db.Exec(ctx, "DELETE FROM "+table+" WHERE x=$1", 1); err != nil {
			return err
		}
	}
	return nil
}

func unreadable(ctx context.Context) error {
	return db.Exec(ctx, os.Getenv("STATEMENT"))
}
