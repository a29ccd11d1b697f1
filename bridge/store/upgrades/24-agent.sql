-- v23 -> v24: Agents that were changed at run time
-- One row for each agent who is not as whatsapp.agents has them. state: '' answers,
-- paused (until a time in Unix milliseconds, 0: until somebody ends it), removed.
CREATE TABLE agent (
	phone  TEXT   PRIMARY KEY,
	name   TEXT   NOT NULL,
	mxid   TEXT   NOT NULL,
	state  TEXT   NOT NULL,
	until  BIGINT NOT NULL,
	who    TEXT   NOT NULL, -- who changed it last, and when
	at     BIGINT NOT NULL
);
