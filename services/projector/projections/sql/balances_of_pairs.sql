-- The balances of raw pairs, those that have one.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller person
-- $4 b text[]: the larger one
SELECT s.tenant, s.a, s.b, s.policy_hash, s.buckets, s.through_day, s.contact_days
FROM unnest($2::text[], $3::text[], $4::text[]) AS k (tenant, a, b)
CROSS JOIN LATERAL (
    SELECT * FROM views.balances b
    WHERE b.journal = $1 AND b.tenant = k.tenant AND b.a = k.a AND b.b = k.b
    OFFSET 0
) AS s;
