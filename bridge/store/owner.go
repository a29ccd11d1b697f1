package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
)

// TakeOver counts this process as the next owner. It waits for the transactions of
// the owner before; those that begin afterwards fail: see Fence. Call it with the
// lock held.
func TakeOver(ctx context.Context, db *dbutil.Database) (epoch int64, err error) {
	err = db.QueryRow(ctx, "UPDATE owner SET epoch=epoch+1 WHERE one=1 RETURNING epoch").Scan(&epoch)
	if err != nil {
		return 0, fmt.Errorf("take the database over: %w", err)
	}
	return epoch, nil
}

// Fence gives what every transaction of an owner has to begin with. A process that
// lost its lock may not know it yet: its connection hangs, or it was stopped for a
// while. The lock of the row holds the next owner up until the commit, so nothing is
// ever written behind its back.
func Fence(db *dbutil.Database, epoch int64) func(context.Context) error {
	query := "SELECT epoch FROM owner WHERE one=1"
	if db.Dialect == dbutil.Postgres {
		query += " FOR SHARE"
	}
	return func(ctx context.Context) error {
		var now int64
		err := db.QueryRow(ctx, query).Scan(&now)
		if errors.Is(err, sql.ErrNoRows) || err == nil && now != epoch {
			return queue.ErrFenced
		}
		return err
	}
}
