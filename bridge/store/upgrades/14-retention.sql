-- v13 -> v14: What is over goes after a time; projects name their keepers
ALTER TABLE handoff ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sent ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE answer ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
-- The time of what stands already begins now.
-- only: postgres for next 3 lines
UPDATE handoff SET changed=CAST(EXTRACT(EPOCH FROM now())*1000 AS BIGINT);
UPDATE sent SET at=CAST(EXTRACT(EPOCH FROM now())*1000 AS BIGINT);
UPDATE answer SET at=CAST(EXTRACT(EPOCH FROM now())*1000 AS BIGINT);
-- only: sqlite for next 3 lines
UPDATE handoff SET changed=CAST(strftime('%s', 'now') AS INTEGER)*1000;
UPDATE sent SET at=CAST(strftime('%s', 'now') AS INTEGER)*1000;
UPDATE answer SET at=CAST(strftime('%s', 'now') AS INTEGER)*1000;
CREATE INDEX handoff_closed ON handoff (changed) WHERE state='closed';
CREATE INDEX sent_at ON sent (at);
CREATE INDEX answer_at ON answer (at);
CREATE INDEX message_ts ON message (ts);
CREATE INDEX parked_at ON parked (parked);
CREATE INDEX wa_line_none ON wa_line (created) WHERE handoff=0;
CREATE INDEX wa_inbound_none ON wa_inbound (at) WHERE handoff=0;
CREATE INDEX wa_part_number ON wa_part (handoff);
-- The user of ours that made a project's rooms and reads them; '' until the next start.
ALTER TABLE project ADD COLUMN keeper TEXT NOT NULL DEFAULT '';
CREATE INDEX project_unkept ON project (id) WHERE keeper='';
