-- The first event whose revision is not one more than the event before it of the same home.
-- $1 journal text: the journal
SELECT r.position, r.tenant, r.home, r.revision, r.expected
  FROM (
    SELECT k.position, k.tenant, k.home, k.revision,
           row_number() OVER (PARTITION BY k.tenant, k.home ORDER BY k.position) AS expected
      FROM journal.event_keys k
     WHERE k.journal = $1
  ) r
 WHERE r.revision <> r.expected
 ORDER BY r.position
 LIMIT 1
