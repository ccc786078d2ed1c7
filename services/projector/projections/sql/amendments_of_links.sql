-- The ends and voids of links, and the voids of those ends. An end that names other people than its
-- link is wrong and left out.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a link
-- $3 event_id uuid[]: the link
WITH direct AS (
    SELECT m.tenant, m.event_id, m.target, m.role, m.position
    FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
    CROSS JOIN LATERAL (
        SELECT s.a, s.b FROM views.links s
        WHERE s.journal = $1 AND s.tenant = k.tenant AND s.event_id = k.event_id
        OFFSET 0
    ) AS l
    CROSS JOIN LATERAL (
        SELECT * FROM views.amendments d
        WHERE d.journal = $1 AND d.tenant = k.tenant AND d.target = k.event_id
        OFFSET 0
    ) AS m
    WHERE m.role = 'V' OR (m.role = 'E' AND m.a = l.a AND m.b = l.b)
)
SELECT d.tenant, d.event_id, d.target, d.role, d.position
FROM direct d
UNION ALL
SELECT v.tenant, v.event_id, v.target, v.role, v.position
FROM direct d
CROSS JOIN LATERAL (
    SELECT * FROM views.amendments a
    WHERE a.journal = $1 AND a.tenant = d.tenant AND a.target = d.event_id AND a.role = 'V'
    OFFSET 0
) AS v
WHERE d.role = 'E';
