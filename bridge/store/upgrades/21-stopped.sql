-- v20 -> v21: Agents who want no messages
-- When an agent sent STOP; 0: they want messages.
ALTER TABLE wa_phone ADD COLUMN stopped BIGINT NOT NULL DEFAULT 0;
