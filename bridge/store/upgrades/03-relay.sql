-- v2 -> v3: Handoffs and WhatsApp
CREATE TABLE handoff (
	number  BIGINT PRIMARY KEY,
	version BIGINT NOT NULL,
	state   TEXT NOT NULL,
	asker   TEXT NOT NULL,
	direct  BOOLEAN NOT NULL,
	thread  TEXT NOT NULL UNIQUE, -- an event id, or "~ID" of a message that is sent first
	record  TEXT NOT NULL         -- JSON
);
CREATE INDEX handoff_state ON handoff (state, number);
CREATE INDEX handoff_asker ON handoff (asker, number);
-- Events that count in a handoff: what askers and staff said, and the ✅ of consent.
CREATE TABLE handoff_event (
	event_id TEXT PRIMARY KEY,
	handoff  BIGINT NOT NULL REFERENCES handoff (number) ON DELETE CASCADE,
	kind     TEXT NOT NULL, -- asked, said, sent, consent
	user_id  TEXT NOT NULL,
	ts       BIGINT NOT NULL
);
CREATE INDEX handoff_event_handoff ON handoff_event (handoff, ts);
-- Answers from WhatsApp by their MessageSid; every message from there is taken once.
CREATE TABLE wa_inbound (
	sid     TEXT PRIMARY KEY,
	phone   TEXT NOT NULL,
	handoff BIGINT NOT NULL, -- 0: about none
	body    TEXT NOT NULL,   -- of answers that were sent; else empty
	at      BIGINT NOT NULL
);
CREATE INDEX wa_inbound_handoff ON wa_inbound (handoff, at);
-- A line is a text for WhatsApp that is made of pieces until its turn comes.
CREATE TABLE wa_line (
	-- only: postgres
	id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- only: sqlite
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	handoff BIGINT NOT NULL, -- 0: about none
	kind    TEXT NOT NULL,
	source  TEXT NOT NULL,   -- event id, "" if for none
	held    BOOLEAN NOT NULL, -- waits for the consent of its asker
	asker   TEXT NOT NULL,    -- whose words it carries, "" if nobody's
	head    TEXT NOT NULL,
	pieces  TEXT NOT NULL,    -- JSON
	created BIGINT NOT NULL
);
CREATE INDEX wa_line_handoff ON wa_line (handoff, id);
-- Which events' words a line carries.
CREATE TABLE wa_source (
	event_id TEXT NOT NULL,
	line     BIGINT NOT NULL REFERENCES wa_line (id) ON DELETE CASCADE,
	PRIMARY KEY (event_id, line)
);
-- One line for one phone. state: waiting (its words can still change), frozen (its
-- parts stand), done (Twilio has all of them), failed, dropped.
CREATE TABLE wa_send (
	line  BIGINT NOT NULL REFERENCES wa_line (id) ON DELETE CASCADE,
	phone TEXT NOT NULL,
	state TEXT NOT NULL,
	short BOOLEAN NOT NULL, -- Twilio found its parts too long: they are half as long
	PRIMARY KEY (line, phone)
);
CREATE INDEX wa_send_phone ON wa_send (phone, line) WHERE state IN ('waiting', 'frozen');
-- One message to Twilio. line is NULL for templates that open a window.
CREATE TABLE wa_part (
	-- only: postgres
	id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	-- only: sqlite
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	line     BIGINT REFERENCES wa_line (id) ON DELETE CASCADE,
	handoff  BIGINT NOT NULL,
	phone    TEXT NOT NULL,
	part     INTEGER NOT NULL, -- from 1
	parts    INTEGER NOT NULL,
	body     TEXT NOT NULL,
	state    TEXT NOT NULL, -- new, trying, then Twilio's status
	sid      TEXT UNIQUE,
	former   TEXT NOT NULL, -- the sid of the last try that failed, if it is sent anew
	attempts INTEGER NOT NULL,
	code     INTEGER NOT NULL, -- Twilio's error, 0 if none
	started  BIGINT NOT NULL,  -- last try
	changed  BIGINT NOT NULL
);
CREATE INDEX wa_part_line ON wa_part (line, phone, part);
CREATE INDEX wa_part_handoff ON wa_part (phone, handoff);
CREATE INDEX wa_part_unsettled ON wa_part (id) WHERE state IN ('accepted', 'scheduled', 'queued', 'sending', 'sent');
CREATE TABLE wa_phone (
	phone    TEXT PRIMARY KEY,
	user_id  TEXT NOT NULL,   -- WhatsApp's own id of who has the number, "" if unknown
	inbound  BIGINT NOT NULL, -- last message from there, 0: never, or Twilio says the window is closed
	template BIGINT NOT NULL, -- last template sent since then
	number   BIGINT NOT NULL, -- of the handoff the template named
	told     BIGINT NOT NULL  -- a stranger: when staff were told last
);
CREATE INDEX wa_phone_user ON wa_phone (user_id) WHERE user_id<>'';
-- Ghosts that speak for agents; the opaque part of their MXIDs.
CREATE TABLE ghost (
	person TEXT PRIMARY KEY, -- phone, MXID, or "team"
	opaque TEXT NOT NULL UNIQUE
);
