-- All ids of some humans, those who have several.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a human
-- $3 canonical text[]: the canonical id
SELECT i.tenant, i.person, i.canonical
FROM unnest($2::text[], $3::text[]) AS k (tenant, canonical)
CROSS JOIN LATERAL (
    SELECT * FROM views.identities h
    WHERE h.journal = $1 AND h.tenant = k.tenant AND h.canonical = k.canonical
    OFFSET 0
) AS i;
