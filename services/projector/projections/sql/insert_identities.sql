-- Says who some people are.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
-- $4 canonical text[]: the canonical id
INSERT INTO views.identities (journal, tenant, person, canonical)
SELECT $1, n.tenant, n.person, n.canonical
FROM unnest($2::text[], $3::text[], $4::text[]) AS n (tenant, person, canonical);
