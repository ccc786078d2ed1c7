-- The raw pairs some people are in; a pair between two of them is there twice.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
-- $4 limit bigint: at most so many rows
(
    SELECT s.a, s.b
    FROM views.balances s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.a = ANY ($3::text[])
    UNION ALL
    SELECT s.a, s.b
    FROM views.balances s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.b = ANY ($3::text[])
)
LIMIT $4;
