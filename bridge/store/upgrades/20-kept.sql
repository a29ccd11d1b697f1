-- v19 -> v20: Answers that wait for their number know what was asked
ALTER TABLE wa_kept ADD COLUMN until BIGINT NOT NULL DEFAULT 0;
UPDATE wa_kept SET until=at+600000;
-- The last line that asks for the number; the numbers that were offered, in JSON; the
-- handoff that the words went to. In sid stand the ids of all their messages, between blanks.
ALTER TABLE wa_kept ADD COLUMN line BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wa_kept ADD COLUMN offered TEXT NOT NULL DEFAULT '';
ALTER TABLE wa_kept ADD COLUMN sent BIGINT NOT NULL DEFAULT 0;
