-- v23 -> v24: Agents that were changed at run time
-- One row for each agent who was added at run time, or is not in the state that
-- whatsapp.agents gives them. added: they are an agent by this row alone; the others are
-- one only as long as whatsapp.agents has them. state: '' answers,
-- paused (until a time in Unix milliseconds, 0: until somebody ends it), removed.
CREATE TABLE agent (
	phone  TEXT   PRIMARY KEY,
	name   TEXT   NOT NULL,
	mxid   TEXT   NOT NULL,
	added  BOOLEAN NOT NULL,
	state  TEXT   NOT NULL,
	until  BIGINT NOT NULL,
	who    TEXT   NOT NULL, -- who changed it last, and when
	at     BIGINT NOT NULL
);
