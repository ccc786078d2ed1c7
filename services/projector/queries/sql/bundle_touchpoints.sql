-- The touchpoints of some raw pairs as recorded, with who recorded them and when.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
-- $5 limit bigint: at most so many rows
SELECT t.event_id, t.position, t.occurred_at_us, t.recorded_at_us, t.recorded_by, t.payload
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.position, x.occurred_at_us, x.recorded_at_us, x.recorded_by, x.payload
    FROM views.touchpoints x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.a = pair.a
      AND x.b BETWEEN pair.b AND pair.b
    ORDER BY x.b
    OFFSET 0
) AS t
LIMIT $5;
