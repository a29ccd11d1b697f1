-- v21 -> v22: Files go to WhatsApp
-- The file that came with a message, in JSON; '' if none did.
ALTER TABLE message ADD COLUMN file TEXT NOT NULL DEFAULT '';
-- The message whose file goes with a part, '' if none does.
ALTER TABLE wa_part ADD COLUMN file TEXT NOT NULL DEFAULT '';
