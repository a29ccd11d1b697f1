-- v15 -> v16: What is over is counted from when it came in
ALTER TABLE message ADD COLUMN came BIGINT NOT NULL DEFAULT 0;
ALTER TABLE room_state ADD COLUMN came BIGINT NOT NULL DEFAULT 0;
-- Of what stands already the event's own time is known, which may be ahead.
-- only: postgres for next 2 lines
UPDATE message SET came=LEAST(ts, CAST(EXTRACT(EPOCH FROM now())*1000 AS BIGINT));
UPDATE room_state SET came=LEAST(ts, CAST(EXTRACT(EPOCH FROM now())*1000 AS BIGINT));
-- only: sqlite for next 2 lines
UPDATE message SET came=MIN(ts, CAST(strftime('%s', 'now') AS INTEGER)*1000);
UPDATE room_state SET came=MIN(ts, CAST(strftime('%s', 'now') AS INTEGER)*1000);
DROP INDEX message_ts;
CREATE INDEX message_came ON message (came);
