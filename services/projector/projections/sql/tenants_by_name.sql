-- For which day and policy the standings of tenants hold.
-- $1 journal text: the journal
-- $2 tenants text[]: the tenants
SELECT t.tenant, t.day, t.policy_hash, t.built
FROM views.tenants t
WHERE t.journal = $1 AND t.tenant = ANY ($2::text[]);
