-- The raw pairs that some people are part of.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
SELECT s.tenant, s.a, s.b
FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
JOIN views.balances s ON s.journal = $1 AND s.tenant = k.tenant AND s.a = k.person
UNION
SELECT s.tenant, s.a, s.b
FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
JOIN views.balances s ON s.journal = $1 AND s.tenant = k.tenant AND s.b = k.person;
