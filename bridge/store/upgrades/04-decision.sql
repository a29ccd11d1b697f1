-- v3 -> v4: Decisions are kept for good

-- Every decision on a project and its people. Rows are only ever added.
CREATE TABLE decision (
	-- only: postgres
	id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- only: sqlite
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	project  TEXT NOT NULL,
	at       BIGINT NOT NULL,
	actor    TEXT NOT NULL, -- MXID; "" for the clock, and for what was before this table
	door     TEXT NOT NULL, -- command, reaction, timer
	what     TEXT NOT NULL,
	user_id  TEXT NOT NULL, -- whom it is about, "" if the whole project
	lane     TEXT NOT NULL, -- "" if it is about a role or the project
	was      TEXT NOT NULL,
	became   TEXT NOT NULL,
	until    BIGINT,
	reason   TEXT NOT NULL,
	event_id TEXT NOT NULL
);
CREATE INDEX decision_about ON decision (project, user_id, lane, id);

INSERT INTO decision (project, at, actor, door, what, user_id, lane, was, became, reason, event_id)
	SELECT project, since, '', '', 'add', user_id, '', '', role, '', '' FROM person;
INSERT INTO decision (project, at, actor, door, what, user_id, lane, was, became, until, reason, event_id)
	SELECT project, since, approver, '', 'approve', user_id, lane, '',
		CASE access WHEN 1 THEN 'read' WHEN 2 THEN 'text' ELSE 'full' END, until, reason, '' FROM lane_grant;
