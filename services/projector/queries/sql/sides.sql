-- The sides of those of some people who have one.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
SELECT p.party, p.side
FROM views.parties p
WHERE p.journal = $1 AND p.tenant = $2 AND p.party = ANY ($3::text[]) AND p.side <> 0;
