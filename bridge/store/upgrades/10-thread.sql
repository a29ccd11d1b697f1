-- v9 -> v10: A thread is one of its room
-- Its root is named by clients, so the same root in another room is another thread:
-- handoff.thread holds the room, or "direct:" and the MXID of a direct chat, a blank,
-- and the root.
-- only: postgres
UPDATE handoff SET thread=CASE WHEN direct THEN 'direct:' || asker ELSE record::json->>'Room' END || ' ' || thread;
-- only: sqlite
UPDATE handoff SET thread=CASE WHEN direct THEN 'direct:' || asker ELSE json_extract(record, '$.Room') END || ' ' || thread;
