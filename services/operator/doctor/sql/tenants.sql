-- For which day and policy the standings of every tenant hold, by name.
-- $1 journal text: the journal
SELECT t.tenant, t.day, t.policy_hash, t.built
  FROM views.tenants t
 WHERE t.journal = $1
 ORDER BY t.tenant
