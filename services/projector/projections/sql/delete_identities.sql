-- Forgets who some people are.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
DELETE FROM views.identities i
USING unnest($2::text[], $3::text[]) AS k (tenant, person)
CROSS JOIN LATERAL (
    SELECT p.ctid AS row FROM views.identities p
    WHERE p.journal = $1 AND p.tenant = k.tenant AND p.person = k.person
    OFFSET 0
) AS f
WHERE i.ctid = f.row;
