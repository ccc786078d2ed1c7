-- Lock the journals that may still append within a range: their rows are copied meanwhile.
-- $1 through_position bigint: the range's last position
SELECT j.journal FROM journal.journals j WHERE j.head < $1 ORDER BY j.journal FOR UPDATE
