-- v18 -> v19: Numbers of strangers are forgotten
CREATE INDEX wa_phone_told ON wa_phone (told) WHERE told>0 AND inbound=0 AND template=0;
