-- How many raw pairs some people are in; a pair between two of them counts twice.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
SELECT (
    SELECT count(*)
    FROM views.balances s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.a = ANY ($3::text[])
) + (
    SELECT count(*)
    FROM views.balances s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.b = ANY ($3::text[])
) AS pairs;
