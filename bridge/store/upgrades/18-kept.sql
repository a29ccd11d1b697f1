-- v17 -> v18: Answers that wait for their number; projects of handoffs
-- The last answer of a phone of which nobody knows yet for whom it is.
CREATE TABLE wa_kept (
	phone TEXT PRIMARY KEY,
	sid   TEXT   NOT NULL, -- MessageSid
	body  TEXT   NOT NULL,
	at    BIGINT NOT NULL
);
CREATE INDEX wa_kept_at ON wa_kept (at);
-- Whose questions are told when a project is archived: '' where they belong to none.
ALTER TABLE handoff ADD COLUMN project TEXT NOT NULL DEFAULT '';
-- only: postgres
UPDATE handoff SET project=coalesce(record::json->>'Project', '') WHERE state<>'closed';
-- only: sqlite
UPDATE handoff SET project=coalesce(json_extract(record, '$.Project'), '') WHERE state<>'closed';
CREATE INDEX handoff_project ON handoff (project, number) WHERE state<>'closed' AND project<>'';
