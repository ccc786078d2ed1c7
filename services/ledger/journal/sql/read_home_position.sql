-- The position of the event with a revision of a home, and how much of the journal is detached.
-- $1 journal text: the journal.
-- $2 tenant text: the tenant.
-- $3 home text: the home.
-- $4 revision bigint: the revision.
SELECT k.position, j.detached_through
  FROM journal.journals j
 -- In the order of its index, which the planner could not tell from the other one.
 CROSS JOIN LATERAL (
   SELECT k.position
     FROM journal.event_keys k
    WHERE k.journal = $1 AND k.tenant = $2 AND k.home = $3 AND k.revision BETWEEN $4 AND $4
    ORDER BY k.revision
    LIMIT 1
 ) k
 WHERE j.journal = $1
