-- v14 -> v15: Routing reads what it needs
-- What a message from a phone is routed by, as the record says it: the id of the
-- owner, how far the words may go, and the phones that passed, each between blanks.
-- Closed handoffs are not asked for; they get theirs when they are opened again.
ALTER TABLE handoff ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE handoff ADD COLUMN reach TEXT NOT NULL DEFAULT '';
ALTER TABLE handoff ADD COLUMN passed TEXT NOT NULL DEFAULT '';
-- only: postgres for next 6 lines
UPDATE handoff SET owner=coalesce(record::json->'Owner'->>'id', ''),
	reach=CASE WHEN coalesce(record::json->>'Leaves', 'false')<>'true' THEN 'matrix'
		WHEN EXISTS (SELECT 1 FROM json_array_elements(record::json->'Askers') WHERE coalesce(value->>'consent', '')<>'wanted') THEN 'whatsapp' ELSE 'withheld' END,
	passed=coalesce((SELECT ' ' || string_agg(value, ' ') || ' ' FROM json_array_elements_text(
		CASE WHEN json_typeof(record::json->'Passed')='array' THEN record::json->'Passed' ELSE '[]' END)), '')
	WHERE state<>'closed';
-- only: sqlite for next 5 lines
UPDATE handoff SET owner=coalesce(json_extract(record, '$.Owner.id'), ''),
	reach=CASE WHEN NOT coalesce(json_extract(record, '$.Leaves'), false) THEN 'matrix'
		WHEN EXISTS (SELECT 1 FROM json_each(record, '$.Askers') WHERE coalesce(json_extract(value, '$.consent'), '')<>'wanted') THEN 'whatsapp' ELSE 'withheld' END,
	passed=coalesce((SELECT ' ' || group_concat(value, ' ') || ' ' FROM json_each(record, '$.Passed')), '')
	WHERE state<>'closed';
-- SQLite, which keeps no statistics, would take this one for those below.
DROP INDEX handoff_state;
CREATE INDEX handoff_owner ON handoff (owner, number, reach) WHERE state='taken';
CREATE INDEX handoff_reach ON handoff (reach, number, passed) WHERE state='open';
