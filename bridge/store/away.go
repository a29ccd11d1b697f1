package store

import (
	"errors"
	"io/fs"

	"lanekeeper/bridge/queue"
)

// Away reports that the database does not answer, or not now: whoever waits may use
// it later. What it answers and refuses (the password, the rights, the schema) is for
// people to mend. An SQLite file is never away: it is there or it is not.
func Away(err error) bool {
	var lite interface{ Code() int }
	var file *fs.PathError
	if errors.As(err, &lite) || errors.As(err, &file) {
		return false
	}
	return queue.Outage(err)
}
