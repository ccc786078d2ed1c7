-- The touchpoints of some raw pairs as recorded, as known at a position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
-- $5 known_at bigint: the position
SELECT t.event_id, t.a, t.b, t.position, t.occurred_at_us, t.payload
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
JOIN views.touchpoints t
  ON t.journal = $1 AND t.tenant = $2 AND t.a = pair.a AND t.b = pair.b
WHERE t.position <= $5;
