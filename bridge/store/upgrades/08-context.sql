-- v7 -> v8: What went along with a question
-- Messages that were shown to staff, and may have been sent to agents, as what was
-- said before a question: an edit or deletion of one concerns the handoff.
CREATE TABLE handoff_context (
	handoff  BIGINT  NOT NULL REFERENCES handoff (number) ON DELETE CASCADE,
	place    INTEGER NOT NULL, -- among them, oldest first
	event_id TEXT    NOT NULL,
	PRIMARY KEY (handoff, place)
);
CREATE INDEX handoff_context_event ON handoff_context (event_id, handoff);
