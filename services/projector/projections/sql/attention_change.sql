-- One change of a journal's log.
-- $1 journal text: the journal
-- $2 number bigint: its number
SELECT item FROM views.attention_log WHERE journal = $1 AND number = $2;
