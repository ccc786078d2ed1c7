-- The stored sums of some raw pairs. A pair nobody has touched has no row.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 a text[]: the smaller person of each pair
-- $4 b text[]: the larger one
SELECT s.a, s.b, s.policy_hash, s.buckets, s.through_day, s.contact_days
FROM unnest($3::text[], $4::text[]) AS pair (a, b)
JOIN views.balances s
  ON s.journal = $1 AND s.tenant = $2 AND s.a = pair.a AND s.b = pair.b;
