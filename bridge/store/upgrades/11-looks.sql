-- v10 -> v11: Names that look alike
-- What the names of a room's members look like, empty for all other state: where two
-- look alike, their MXIDs tell them apart.
ALTER TABLE room_state ADD COLUMN looks TEXT NOT NULL DEFAULT '';
CREATE INDEX room_state_looks ON room_state (room, looks) WHERE looks<>'';
