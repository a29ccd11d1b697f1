-- v1 -> v2: Projects, rooms, messages and answers
CREATE TABLE project (
	id       TEXT PRIMARY KEY,
	slug     TEXT NOT NULL UNIQUE,
	name     TEXT NOT NULL,
	profile  TEXT NOT NULL,
	tier     TEXT NOT NULL,
	status   TEXT NOT NULL,
	creator  TEXT NOT NULL,
	created  BIGINT NOT NULL,
	revision BIGINT NOT NULL
);
CREATE TABLE person (
	project TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
	user_id TEXT NOT NULL,
	role    TEXT NOT NULL,
	since   BIGINT NOT NULL,
	PRIMARY KEY (project, user_id)
);
CREATE INDEX person_user ON person (user_id);
CREATE TABLE lane_grant (
	project  TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
	user_id  TEXT NOT NULL,
	lane     TEXT NOT NULL,
	access   INTEGER NOT NULL,
	approver TEXT NOT NULL,
	reason   TEXT NOT NULL,
	since    BIGINT NOT NULL,
	until    BIGINT,
	PRIMARY KEY (project, user_id, lane)
);
CREATE TABLE request (
	number     BIGINT PRIMARY KEY,
	project    TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
	user_id    TEXT NOT NULL,
	lane       TEXT NOT NULL,
	access     INTEGER NOT NULL,
	reason     TEXT NOT NULL,
	state      TEXT NOT NULL,
	decided_by TEXT NOT NULL,
	because    TEXT NOT NULL,
	asked      BIGINT NOT NULL
);
CREATE INDEX request_project ON request (project, state);
-- Ghosts that spoke in a lane and stay there.
CREATE TABLE guest (
	project TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
	lane    TEXT NOT NULL,
	user_id TEXT NOT NULL,
	name    TEXT NOT NULL,
	PRIMARY KEY (project, lane, user_id)
);
-- Every room of ours: lanes, Spaces, the super-admin room, direct chats. The row
-- stands before the room does; the alias makes its creation idempotent.
CREATE TABLE room (
	alias   TEXT PRIMARY KEY,
	id      TEXT UNIQUE,
	kind    TEXT NOT NULL,
	project TEXT NOT NULL,
	user_id TEXT NOT NULL,
	version TEXT NOT NULL,
	UNIQUE (kind, project, user_id)
);
-- What events told us of the state of our rooms.
CREATE TABLE room_state (
	room     TEXT NOT NULL,
	type     TEXT NOT NULL,
	skey     TEXT NOT NULL,
	event_id TEXT NOT NULL,
	sender   TEXT NOT NULL,
	ts       BIGINT NOT NULL,
	raw      TEXT NOT NULL,
	PRIMARY KEY (room, type, skey)
);
CREATE INDEX room_state_key ON room_state (type, skey, ts);
CREATE TABLE message (
	event_id TEXT PRIMARY KEY,
	room     TEXT NOT NULL,
	sender   TEXT NOT NULL,
	ts       BIGINT NOT NULL,
	msgtype  TEXT NOT NULL,
	body     TEXT NOT NULL,
	html     TEXT NOT NULL,
	thread   TEXT NOT NULL,
	reply_to TEXT NOT NULL,
	redacted BOOLEAN NOT NULL
);
CREATE INDEX message_room ON message (room, ts);
-- What the messages of effects became, for those that others refer to.
CREATE TABLE sent (
	id       TEXT PRIMARY KEY,
	room     TEXT NOT NULL,
	event_id TEXT NOT NULL
);
CREATE INDEX sent_event ON sent (event_id);
-- Answers to commands that wait until Matrix shows the change.
CREATE TABLE answer (
	command  TEXT PRIMARY KEY,
	project  TEXT NOT NULL,
	revision BIGINT NOT NULL,
	answer   TEXT NOT NULL,
	pending  BOOLEAN NOT NULL
);
CREATE INDEX answer_project ON answer (project, revision);
-- Event ids that were taken in: the deduplication of everything Matrix tells us.
-- only: postgres for next 4 lines
CREATE TABLE seen (
	event_id TEXT PRIMARY KEY,
	at       BIGINT NOT NULL
);
-- only: sqlite for next 4 lines
CREATE TABLE seen (
	event_id TEXT PRIMARY KEY,
	at       BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at);
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);
