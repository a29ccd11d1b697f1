-- v8 -> v9: Rooms that the bot was invited to
-- Rooms of others that the bot went to, by who invited it.
CREATE TABLE visit (
	room    TEXT PRIMARY KEY,
	user_id TEXT   NOT NULL,
	since   BIGINT NOT NULL
);
CREATE INDEX visit_user ON visit (user_id, since);
