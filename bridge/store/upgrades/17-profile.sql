-- v16 -> v17: Names of people whom nobody has seen in a room
-- What the homeserver said of somebody whom a command named.
CREATE TABLE profile (
	user_id TEXT    PRIMARY KEY,
	name    TEXT    NOT NULL,
	missing BOOLEAN NOT NULL, -- there is no such user
	at      BIGINT  NOT NULL
);
CREATE INDEX profile_at ON profile (at);
