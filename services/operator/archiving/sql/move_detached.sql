-- Move how far a journal is detached; no row when it was not where it should be.
-- $1 journal text: the journal
-- $2 before bigint: where it was
-- $3 after bigint: where it is now
UPDATE journal.journals j SET detached_through = $3
 WHERE j.journal = $1 AND j.detached_through = $2
RETURNING j.journal
