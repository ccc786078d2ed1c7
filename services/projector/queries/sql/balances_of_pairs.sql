-- The stored sums of some raw pairs. A pair nobody has touched has no row.
-- OFFSET 0: one index probe for each, also before Postgres has seen statistics.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
SELECT s.a, s.b, s.policy_hash, s.buckets, s.through_day, s.contact_days
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
CROSS JOIN LATERAL (
    SELECT *
    FROM views.balances x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.a = pair.a AND x.b = pair.b
    OFFSET 0
) AS s;
