-- The corrections recorded on some raw pairs, whatever they replace, as known at a position.
-- OFFSET 0: one index probe for each, also before Postgres has seen statistics.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
-- $5 known_at bigint: the position
SELECT m.event_id, m.target, m.role, m.position, m.a, m.b, m.payload
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.target, x.role, x.position, x.a, x.b, x.payload
    FROM views.amendments x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.a = pair.a
      AND x.b = pair.b
      AND x.role = 'C'
      AND x.position <= $5
    OFFSET 0
) AS m;
