-- List journals by name.
-- $1 after text: only beyond this name; empty for the beginning.
-- $2 limit bigint: so many at most; NULL for all.
SELECT j.journal, j.incarnation, j.head, j.last_recorded_at_us, j.created_at_us,
       j.detached_through
  FROM journal.journals j WHERE j.journal > $1 ORDER BY j.journal LIMIT $2
