-- The stored sums of some raw pairs. A pair nobody has touched has no row.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
SELECT s.a, s.b, s.policy_hash, s.buckets, s.through_day, s.contact_days
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
CROSS JOIN LATERAL (
    SELECT x.*
    FROM views.balances x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.a = pair.a AND x.b BETWEEN pair.b AND pair.b
    ORDER BY x.b
    LIMIT 1
) AS s;
