-- The touchpoints whose standing some voids and corrections may change: their targets, and what
-- their targets correct.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element an amendment
-- $3 target uuid[]: what it points at
WITH named AS (
    SELECT k.tenant, k.target FROM unnest($2::text[], $3::uuid[]) AS k (tenant, target)
), candidates AS (
    SELECT tenant, target FROM named
    UNION
    SELECT m.tenant, m.target
    FROM named n
    CROSS JOIN LATERAL (
        SELECT a.tenant, a.target FROM views.amendments a
        WHERE a.journal = $1 AND a.tenant = n.tenant AND a.event_id = n.target AND a.role = 'C'
        OFFSET 0
    ) AS m
)
SELECT t.tenant, t.a, t.b, t.event_id
FROM candidates c
CROSS JOIN LATERAL (
    SELECT p.tenant, p.a, p.b, p.event_id FROM views.touchpoints p
    WHERE p.journal = $1 AND p.tenant = c.tenant AND p.event_id = c.target
    OFFSET 0
) AS t;
