-- The parked events of a journal, the first ones.
-- $1 journal text: the journal
-- $2 limit bigint: so many at most
SELECT p.position, p.event_id::text AS event_id, p.type, p.reason
  FROM views.parked p
 WHERE p.journal = $1
 ORDER BY p.position
 LIMIT $2
