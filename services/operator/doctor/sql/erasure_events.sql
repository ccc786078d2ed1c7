-- Every SubjectErased of some journals.
-- $1 journals text[]: the journals
SELECT e.journal, e.position, e.tenant, e.event_id::text AS event_id, e.payload
  FROM journal.events e
 WHERE e.journal = ANY ($1) AND e.type = 'rapport.events.v1.SubjectErased'
 ORDER BY e.journal, e.position
