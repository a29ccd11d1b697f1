-- v5 -> v6: Indexes for what grows with all projects
-- The rooms of a project, and the direct chat of a person.
CREATE INDEX room_project ON room (project, kind);
CREATE INDEX room_direct ON room (user_id) WHERE kind='direct';
-- The projects of a person, by slug: lists go on where a page ended.
ALTER TABLE person ADD COLUMN slug TEXT NOT NULL DEFAULT '';
UPDATE person SET slug=(SELECT slug FROM project WHERE id=person.project);
DROP INDEX person_user;
CREATE INDEX person_user ON person (user_id, slug);
DROP INDEX handoff_asker;
CREATE INDEX handoff_asker ON handoff (asker, direct);
CREATE INDEX handoff_active ON handoff (number) WHERE state IN ('open', 'taken');
CREATE INDEX handoff_direct ON handoff (asker, number) WHERE direct AND state<>'closed';
-- What may be under way to a phone.
CREATE INDEX wa_part_trying ON wa_part (phone, id) WHERE state IN ('new', 'trying');
CREATE INDEX wa_source_line ON wa_source (line);
-- SQLite, which keeps no statistics, takes the newest index of equal ones.
DROP INDEX job_head;
CREATE INDEX job_head ON job (queue, key) WHERE state=2;
CREATE INDEX person_role ON person (user_id, role);
