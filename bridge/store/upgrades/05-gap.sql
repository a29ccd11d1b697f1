-- v4 -> v5: Gaps in what a sync brought
-- What a sync left out of a room, until it is read and handed on. Everything that
-- comes in under the key meanwhile is held back.
CREATE TABLE gap (
	-- only: postgres
	id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- only: sqlite
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	key      TEXT    NOT NULL, -- order key
	room     TEXT    NOT NULL,
	since    TEXT    NOT NULL, -- sync token: what is missing came after it
	prev     TEXT    NOT NULL, -- and before this one
	position TEXT    NOT NULL, -- of the next page; empty: no page was read yet
	noticed  BIGINT  NOT NULL, -- Unix ms
	told     BOOLEAN NOT NULL, -- staff knows
	filled   BOOLEAN NOT NULL
);
CREATE INDEX gap_key ON gap (key, id);
CREATE TABLE held (
	-- only: postgres
	seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- only: sqlite
	seq      INTEGER PRIMARY KEY AUTOINCREMENT,
	key      TEXT     NOT NULL,
	room     TEXT     NOT NULL,
	gap      BIGINT   NOT NULL, -- the last gap of the key when it came
	behind   SMALLINT NOT NULL, -- 0: it was read to fill that gap, 1: it came after it
	event_id TEXT     NOT NULL,
	-- only: postgres
	arrival  BYTEA    NOT NULL
	-- only: sqlite
	arrival  BLOB     NOT NULL
);
CREATE INDEX held_order ON held (key, room, gap, behind, seq);
