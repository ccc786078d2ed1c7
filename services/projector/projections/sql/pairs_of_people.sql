-- The raw pairs that some people are part of.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
SELECT s.tenant, s.a, s.b
FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
CROSS JOIN LATERAL (
    SELECT b.tenant, b.a, b.b FROM views.balances b
    WHERE b.journal = $1 AND b.tenant = k.tenant AND b.a = k.person
    OFFSET 0
) AS s
UNION
SELECT s.tenant, s.a, s.b
FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
CROSS JOIN LATERAL (
    SELECT b.tenant, b.a, b.b FROM views.balances b
    WHERE b.journal = $1 AND b.tenant = k.tenant AND b.b = k.person
    OFFSET 0
) AS s;
