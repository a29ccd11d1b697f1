-- v22 -> v23: Files of one album belong together
-- What a phone's latest message was about.
CREATE INDEX wa_inbound_phone ON wa_inbound (phone, at);
