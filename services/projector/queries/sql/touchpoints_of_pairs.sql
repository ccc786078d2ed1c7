-- The touchpoints of some raw pairs as recorded, as known at a position.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
-- $5 known_at bigint: the position
SELECT t.event_id, t.a, t.b, t.position, t.occurred_at_us, t.payload
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.a, x.b, x.position, x.occurred_at_us, x.payload
    FROM views.touchpoints x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.a = pair.a
      AND x.b BETWEEN pair.b AND pair.b
      AND x.position <= $5
    ORDER BY x.b
    OFFSET 0
) AS t;
