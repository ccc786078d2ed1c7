-- The balances of a tenant, pair by pair.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT s.a, s.b, s.policy_hash, s.buckets, s.through_day, s.contact_days
  FROM views.balances s
 WHERE s.journal = $1 AND s.tenant = $2
 ORDER BY s.a, s.b
