-- The corrections recorded on some raw pairs, whatever they replace, as known at a position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
-- $5 known_at bigint: the position
SELECT m.event_id, m.target, m.role, m.position, m.a, m.b, m.payload
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
JOIN views.amendments m
  ON m.journal = $1 AND m.tenant = $2 AND m.a = pair.a AND m.b = pair.b AND m.role = 'C'
WHERE m.position <= $5;
