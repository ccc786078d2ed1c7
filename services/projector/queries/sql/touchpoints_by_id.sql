-- Some touchpoints as recorded, as known at a position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 event_ids uuid[]: their event ids
-- $4 known_at bigint: the position
SELECT t.event_id, t.a, t.b, t.position, t.occurred_at_us, t.payload
FROM views.touchpoints t
WHERE t.journal = $1
  AND t.tenant = $2
  AND t.event_id = ANY ($3::uuid[])
  AND t.position <= $4;
