-- v0 -> v1: Durable queue

-- Work that waits, in the order of its ids for each (queue, key).
-- state: 0 ready, 1 timer (does not block its key), 2 tried and waiting at the
-- head of its key (blocks it). Times are Unix milliseconds.
CREATE TABLE job (
	-- only: postgres
	id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- only: sqlite
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	queue    TEXT     NOT NULL,
	part     SMALLINT NOT NULL, -- hash of the key, 0 to 255
	key      TEXT     NOT NULL,
	state    SMALLINT NOT NULL,
	at       BIGINT   NOT NULL,
	attempts INTEGER  NOT NULL DEFAULT 0,
	failures INTEGER  NOT NULL DEFAULT 0, -- panics and commits that failed
	created  BIGINT   NOT NULL,
	-- only: postgres for next 3 lines
	-- Ids are not in commit order: a reader asks for what it could not see.
	tx       xid8     NOT NULL DEFAULT pg_current_xact_id(),
	payload  BYTEA    NOT NULL
	-- only: sqlite
	payload  BLOB     NOT NULL
);

CREATE INDEX job_ready ON job (queue, id) WHERE state = 0;
CREATE INDEX job_timed ON job (queue, at, id) WHERE state > 0;
CREATE INDEX job_head ON job (queue, key) WHERE state = 2;
CREATE INDEX job_key ON job (queue, key, id);
-- only: postgres
CREATE INDEX job_new ON job (queue, tx) WHERE state = 0;

-- Work that was given up; kept for a person to look at.
CREATE TABLE parked (
	id       BIGINT  PRIMARY KEY, -- of the job
	queue    TEXT    NOT NULL,
	key      TEXT    NOT NULL,
	attempts INTEGER NOT NULL,
	created  BIGINT  NOT NULL,
	parked   BIGINT  NOT NULL,
	reason   TEXT    NOT NULL,
	-- only: postgres
	payload  BYTEA   NOT NULL
	-- only: sqlite
	payload  BLOB    NOT NULL
);
