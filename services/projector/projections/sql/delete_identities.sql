-- Forgets who some people are.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
DELETE FROM views.identities i
USING unnest($2::text[], $3::text[]) AS k (tenant, person)
WHERE i.journal = $1 AND i.tenant = k.tenant AND i.person = k.person;
