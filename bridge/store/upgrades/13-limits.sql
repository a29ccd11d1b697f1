-- v12 -> v13: Limits of what one person does
-- How often somebody did something since a time. Rows rather than memory: they are
-- written with what they count or not at all, and they survive a restart. A row that
-- nobody added to for a day is deleted.
CREATE TABLE meter (
	person TEXT    NOT NULL, -- MXID, phone, or whom else is counted
	kind   TEXT    NOT NULL,
	since  BIGINT  NOT NULL, -- when the span that is counted began
	used   INTEGER NOT NULL,
	told   BOOLEAN NOT NULL, -- that it is too much, in this span
	PRIMARY KEY (person, kind)
);
CREATE INDEX meter_since ON meter (since);
CREATE INDEX handoff_open ON handoff (asker, number) WHERE state<>'closed';
