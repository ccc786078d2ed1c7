-- The strong links, ended or not, that reach some people from anywhere.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
WITH RECURSIVE reached (tenant, person) AS (
    SELECT k.tenant COLLATE "C", k.person COLLATE "C"
    FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
    UNION
    SELECT near.tenant, near.person
    FROM reached r
    CROSS JOIN LATERAL (
        SELECT l.tenant, l.b AS person FROM views.links l
        WHERE l.journal = $1 AND l.tenant = r.tenant AND l.strong AND l.a = r.person
        UNION ALL
        SELECT l.tenant, l.a FROM views.links l
        WHERE l.journal = $1 AND l.tenant = r.tenant AND l.strong AND l.b = r.person
    ) AS near
)
SELECT l.tenant, l.event_id, l.position, l.a, l.b
FROM reached r
CROSS JOIN LATERAL (
    SELECT * FROM views.links s
    WHERE s.journal = $1 AND s.tenant = r.tenant AND s.strong AND s.a = r.person
    OFFSET 0
) AS l;
