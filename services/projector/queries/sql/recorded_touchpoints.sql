-- Some touchpoints and corrections as they were recorded, and by whom.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 touchpoints uuid[]: their event ids
-- $4 corrections uuid[]: theirs
SELECT t.event_id, t.a, t.b, t.position, t.recorded_at_us, t.recorded_by, t.payload
FROM unnest($3::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.a, x.b, x.position, x.recorded_at_us, x.recorded_by, x.payload
    FROM views.touchpoints x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY x.event_id
    LIMIT 1
) AS t
UNION ALL
SELECT m.event_id, m.a, m.b, m.position, m.recorded_at_us, m.recorded_by, m.payload
FROM unnest($4::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.a, x.b, x.position, x.recorded_at_us, x.recorded_by, x.payload
    FROM views.amendments x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY x.event_id
    LIMIT 1
) AS m;
