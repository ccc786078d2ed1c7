-- The payloads of some touchpoints and corrections, sealed as stored.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 touchpoints uuid[]: their event ids
-- $4 corrections uuid[]: theirs
SELECT t.event_id, t.payload
FROM views.touchpoints t
WHERE t.journal = $1 AND t.tenant = $2 AND t.event_id = ANY ($3::uuid[])
UNION ALL
SELECT m.event_id, m.payload
FROM views.amendments m
WHERE m.journal = $1 AND m.tenant = $2 AND m.event_id = ANY ($4::uuid[]);
