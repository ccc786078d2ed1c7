-- The corrections recorded on some raw pairs, whatever they replace, as known at a position.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
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
      AND x.b BETWEEN pair.b AND pair.b
      AND x.role = 'C'
      AND x.position <= $5
    ORDER BY x.b
    OFFSET 0
) AS m;
