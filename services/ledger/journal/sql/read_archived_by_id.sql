-- Read what is kept of detached events, by their ids, in no order; others are left out.
-- $1 journal text: the tenant's journal.
-- $2 tenant text: the tenant.
-- $3 event_ids uuid[]: the ids, different ones.
SELECT k.event_id, k.position, k.home, k.revision, k.recorded_at_us, k.occurred_at_us,
       k.schema_version, k.type, k.payload_sha256
  FROM unnest($3::uuid[]) AS wanted (event_id)
 CROSS JOIN journal.journals j
 CROSS JOIN LATERAL (
   SELECT k.*
     FROM journal.event_keys k
    WHERE k.journal = $1 AND k.tenant = $2
      AND k.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY k.event_id
    LIMIT 1
 ) k
 WHERE j.journal = $1 AND k.position <= j.detached_through
   AND k.home LIKE 'relationships/%'
