-- Read a journal's row.
-- $1 journal text: the journal.
SELECT j.journal, j.incarnation, j.head, j.last_recorded_at_us, j.created_at_us,
       j.detached_through
  FROM journal.journals j WHERE j.journal = $1
