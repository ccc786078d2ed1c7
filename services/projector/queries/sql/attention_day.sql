-- Through which day a tenant is turned, and what the turn knew; no row before its first.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
SELECT day, position, policy_hash FROM views.attention_tenants WHERE journal = $1 AND tenant = $2;
