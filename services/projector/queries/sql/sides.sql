-- The sides of those of some people who have one.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
SELECT p.party, p.side
FROM unnest($3::text[]) AS wanted (person)
CROSS JOIN LATERAL (
    SELECT x.party, x.side
    FROM views.parties x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.party = wanted.person
    LIMIT 1
) AS p
WHERE p.side <> 0;
