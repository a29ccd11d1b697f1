package queue

import (
	"go.mau.fi/util/dbutil"
)

// States of a row of table job.
const (
	stateReady = 0 // due since it was put
	stateTimer = 1 // due at its time, blocks nothing before
	stateHead  = 2 // tried; due at its time, blocks its key
)

const columns = "j.id, j.queue, j.key, j.state, j.at, j.attempts, j.failures, j.created, j.payload"

// unblocked keeps out what stands behind a head: it is loaded after the head.
const unblocked = "NOT EXISTS (SELECT 1 FROM job h WHERE h.queue=j.queue AND h.key=j.key AND h.state=2)"

// statements are the queries of the loader. $1 is the queue, $2 the time.
type statements struct {
	ready string // $2 last id read, $3 limit, $4 (PostgreSQL) horizon of the sweep before
	// horizons: PostgreSQL hands out ids before the commit, so a row can become
	// visible below ids that were read. A sweep reads what the sweep before may not
	// have seen: rows of transactions that were not finished when that one began.
	horizons bool
}

// Timers and heads that are due, after ($3, $4), $5 at most. They come due in any
// order, so each look starts from the first.
const timedQuery = "SELECT " + columns + `, '' FROM job j
	WHERE j.queue=$1 AND j.state>0 AND j.at<=$2 AND (j.at, j.id) > ($3, $4) AND (j.state=2 OR ` + unblocked + `)
	ORDER BY j.at, j.id LIMIT $5`

// The next jobs of key $3, $4 at most.
const keyQuery = "SELECT " + columns + `, '' FROM job j
	WHERE j.queue=$1 AND j.key=$3 AND (j.state=0 OR j.at<=$2)
	ORDER BY j.id LIMIT $4`

// When something is due after $2.
const nextQuery = "SELECT MIN(at) FROM job WHERE queue=$1 AND state>0 AND at>$2"

func statementsFor(dialect dbutil.Dialect) statements {
	if dialect == dbutil.Postgres {
		return statements{
			ready: "SELECT " + columns + `, pg_snapshot_xmin(pg_current_snapshot())::text FROM job j
				WHERE j.queue=$1 AND j.state=0 AND j.id>$2 AND j.tx>=$4::xid8 AND ` + unblocked + `
				ORDER BY j.id LIMIT $3`,
			horizons: true,
		}
	}
	// SQLite has one writer: ids are in commit order, a row never appears below
	// one that was read.
	return statements{
		ready: "SELECT " + columns + `, '' FROM job j
			WHERE j.queue=$1 AND j.state=0 AND j.id>$2 AND ` + unblocked + `
			ORDER BY j.id LIMIT $3`,
	}
}
