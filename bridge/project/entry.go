package project

import "time"

// What was decided.
type What string

const (
	WhatCreate  What = "create"
	WhatAdd     What = "add"
	WhatAccept  What = "accept"
	WhatRemove  What = "remove"
	WhatApprove What = "approve"
	WhatDeny    What = "deny"
	WhatRevoke  What = "revoke"
	WhatExpire  What = "expire"
	WhatArchive What = "archive"
	WhatRestore What = "restore"
)

// Entry is one decision as it is kept for good: nobody gets in, or gets louder,
// without one. Was and Became are roles where it is about a role, rungs where it is
// about a lane, else a status.
type Entry struct {
	At     time.Time
	By     string // MXID; "" for the clock, and for what stood before entries were kept
	Door   string // by which way it came: command, reaction, timer
	What   What
	User   string // whom it is about, "" if the whole project
	Lane   Kind   // where, "" if it is about no lane
	Was    string
	Became string
	Until  *time.Time // of an approval that ends
	Reason string
	Event  string // that asked for it, "" if none
}
