-- A journal as it is now. detached_through: events up to there that are at home in a relationship
-- are in files, and can be compared no more.
-- $1 journal text: the journal
SELECT j.incarnation::text AS incarnation, j.head, j.last_recorded_at_us, j.detached_through
  FROM journal.journals j
 WHERE j.journal = $1
