-- Who some people are, those who are linked to somebody.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
SELECT i.tenant, i.person, i.canonical
FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
CROSS JOIN LATERAL (
    SELECT * FROM views.identities h
    WHERE h.journal = $1 AND h.tenant = k.tenant AND h.person = k.person
    OFFSET 0
) AS i;
