-- v6 -> v7: Phones take turns between handoffs
-- Which handoff a line is about, so that a phone's next line is found by one step
-- in an index.
ALTER TABLE wa_send ADD COLUMN handoff BIGINT NOT NULL DEFAULT 0;
UPDATE wa_send SET handoff=(SELECT handoff FROM wa_line WHERE id=wa_send.line);
DROP INDEX wa_send_phone;
CREATE INDEX wa_send_phone ON wa_send (phone, handoff, line) WHERE state IN ('waiting', 'frozen');
-- How often a part came back because WhatsApp did not take it for the moment.
ALTER TABLE wa_part ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;
-- Why the last template since then was refused, "" if it was not; whose turn it is,
-- and how many of its lines were sent in this turn.
ALTER TABLE wa_phone ADD COLUMN refused TEXT NOT NULL DEFAULT '';
ALTER TABLE wa_phone ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wa_phone ADD COLUMN served INTEGER NOT NULL DEFAULT 0;
