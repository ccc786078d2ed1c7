-- Moves the checkpoint of a journal, locked before.
-- $1 journal text: the journal
-- $2 position bigint: the last event applied
-- $3 recorded_at_us bigint: when that was recorded
UPDATE views.checkpoints SET position = $2, recorded_at_us = $3 WHERE journal = $1;
