package store

import (
	"embed"

	"go.mau.fi/util/dbutil"
)

//go:embed upgrades/*.sql
var upgradeFiles embed.FS

// upgrades is the one schema of the bridge, all packages' tables. A file takes
// the database one version further for both dialects; its first line says
// which: "-- v1 -> v2: text".
var upgrades = dbutil.BuildUpgradeTable().WithFSPath(upgradeFiles, "upgrades").Finish()
