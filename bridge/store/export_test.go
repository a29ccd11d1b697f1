package store

import (
	"context"
	"errors"

	"go.mau.fi/util/dbutil"
)

// OpenAt opens a database as a release left it whose schema had an older version.
func OpenAt(ctx context.Context, kind, uri string, version int) (*dbutil.Database, error) {
	pool, err := openPool(kind, uri)
	if err != nil {
		return nil, err
	}
	db, err := dbutil.NewWithDB(pool, kind)
	if err != nil {
		return nil, err
	}
	db.Owner, db.UpgradeTable = "lanekeeper", upgrades[:version]
	return db, upgrade(ctx, db)
}

// LockSetting gives a setting of the session that holds the lock.
func LockSetting(ctx context.Context, uri, name string) (value string, err error) {
	held, err := lockAdvisory(ctx, uri)
	if err != nil {
		return "", err
	}
	err = held.(*advisoryLock).conn.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&value)
	return value, errors.Join(err, held.release())
}
