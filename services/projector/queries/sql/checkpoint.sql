-- How far the views of a journal are; no row before its first event.
-- $1 journal text: the journal
SELECT position FROM views.checkpoints WHERE journal = $1;
