-- Some touchpoints as recorded, as known at a position.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 event_ids uuid[]: their event ids
-- $4 known_at bigint: the position
SELECT t.event_id, t.a, t.b, t.position, t.occurred_at_us, t.payload
FROM unnest($3::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.a, x.b, x.position, x.occurred_at_us, x.payload
    FROM views.touchpoints x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN wanted.event_id AND wanted.event_id
      AND x.position <= $4
    ORDER BY x.event_id
    LIMIT 1
) AS t;
