-- The payloads of some touchpoints and corrections, sealed as stored.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 touchpoints uuid[]: their event ids
-- $4 corrections uuid[]: theirs
SELECT t.event_id, t.payload
FROM unnest($3::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.payload
    FROM views.touchpoints x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY x.event_id
    LIMIT 1
) AS t
UNION ALL
SELECT m.event_id, m.payload
FROM unnest($4::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.payload
    FROM views.amendments x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.event_id BETWEEN wanted.event_id AND wanted.event_id
    ORDER BY x.event_id
    LIMIT 1
) AS m;
