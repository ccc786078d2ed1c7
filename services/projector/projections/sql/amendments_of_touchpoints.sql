-- The corrections and voids of some touchpoints, and the voids of those corrections; a and b are the
-- touchpoint's pair.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint
-- $3 event_id uuid[]: the touchpoint
WITH direct AS (
    SELECT t.tenant, t.a, t.b, m.event_id, m.target, m.role, m.position, m.payload
    FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
    CROSS JOIN LATERAL (
        SELECT p.tenant, p.a, p.b, p.event_id FROM views.touchpoints p
        WHERE p.journal = $1 AND p.tenant = k.tenant AND p.event_id = k.event_id
        OFFSET 0
    ) AS t
    CROSS JOIN LATERAL (
        SELECT * FROM views.amendments d
        WHERE d.journal = $1 AND d.tenant = t.tenant AND d.target = t.event_id
          AND d.role IN ('V', 'C')
        OFFSET 0
    ) AS m
)
SELECT d.tenant, d.a, d.b, d.event_id, d.target, d.role, d.position, d.payload
FROM direct d
UNION ALL
SELECT d.tenant, d.a, d.b, v.event_id, v.target, v.role, v.position, v.payload
FROM direct d
CROSS JOIN LATERAL (
    SELECT * FROM views.amendments a
    WHERE a.journal = $1 AND a.tenant = d.tenant AND a.target = d.event_id AND a.role = 'V'
    OFFSET 0
) AS v
WHERE d.role = 'C';
