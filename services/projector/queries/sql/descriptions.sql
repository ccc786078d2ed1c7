-- The payloads of some descriptions, sealed as stored.
-- OFFSET 0: one index probe for each, also before Postgres has seen statistics.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 event_ids uuid[]: their event ids
SELECT d.event_id, d.payload
FROM unnest($3::uuid[]) AS wanted (event_id)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.payload
    FROM views.descriptions x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.event_id = wanted.event_id
    OFFSET 0
) AS d;
