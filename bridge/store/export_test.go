package store

import (
	"context"

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
