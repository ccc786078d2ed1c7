-- The people of the strong links that some ends and voids may touch: their targets, and what their
-- targets end.
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
        WHERE a.journal = $1 AND a.tenant = n.tenant AND a.event_id = n.target AND a.role = 'E'
        OFFSET 0
    ) AS m
)
SELECT l.tenant, l.a, l.b
FROM candidates c
CROSS JOIN LATERAL (
    SELECT s.tenant, s.a, s.b FROM views.links s
    WHERE s.journal = $1 AND s.tenant = c.tenant AND s.event_id = c.target AND s.strong
    OFFSET 0
) AS l;
