-- The raw pairs of a tenant, by a and b.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 limit bigint: at most so many rows
SELECT x.a, x.b
FROM views.balances x
WHERE x.journal = $1 AND x.tenant = $2
ORDER BY x.a, x.b
LIMIT $3;
