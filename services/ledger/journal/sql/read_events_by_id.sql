-- Read events by their ids, in no order; ids that are not stored are left out.
-- $1 journal text: the tenant's journal.
-- $2 tenant text: the tenant.
-- $3 event_ids uuid[]: the ids, different ones.
SELECT e.*
  FROM unnest($3::uuid[]) AS wanted (event_id)
 -- LIMIT and OFFSET: one lookup an id, whatever the planner would rather do. BETWEEN: in the
 -- order of the primary key, which an empty table's planner could not tell from the other index.
 CROSS JOIN LATERAL (
   SELECT k.position
     FROM journal.event_keys k
    WHERE k.journal = $1 AND k.tenant = $2
      AND k.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY k.event_id
    LIMIT 1
 ) k
 CROSS JOIN LATERAL (
   SELECT e.journal, e.position, e.tenant, e.event_id, e.type, e.home, e.revision, e.kind,
          e.occurred_at_us, e.recorded_at_us, e.recorded_by, e.verified,
          e.correlation_id, e.causation_id, e.schema_version, e.payload, e.payload_sha256
     FROM journal.events e
    WHERE e.journal = $1 AND e.position = k.position
   OFFSET 0
 ) e
