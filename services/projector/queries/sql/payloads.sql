-- The payloads of some touchpoints and corrections, sealed as stored.
-- OFFSET 0: one index probe for each, also before Postgres has seen statistics.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 touchpoints uuid[]: their event ids
-- $4 corrections uuid[]: theirs
SELECT t.event_id, t.payload
FROM unnest($3::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.payload
    FROM views.touchpoints x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.event_id = wanted.event_id
    OFFSET 0
) AS t
UNION ALL
SELECT m.event_id, m.payload
FROM unnest($4::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.payload
    FROM views.amendments x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.event_id = wanted.event_id
    OFFSET 0
) AS m;
