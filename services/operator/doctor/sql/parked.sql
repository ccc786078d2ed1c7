-- The parked events of a journal, the first ones: those nobody decided about before the others.
-- $1 journal text: the journal
-- $2 limit bigint: so many at most
SELECT p.position, p.event_id::text AS event_id, p.type, p.reason,
       d.reason AS discarded_because, d.discarded_by
  FROM views.parked p
  LEFT JOIN views.discarded d
    ON d.journal = p.journal AND d.position = p.position AND d.event_id = p.event_id
 WHERE p.journal = $1
 ORDER BY d.position IS NOT NULL, p.position
 LIMIT $2
