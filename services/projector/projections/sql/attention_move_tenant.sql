-- Says that a tenant is turned through a day.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 day integer: the day
-- $4 position bigint: the last position that the turn knew of
-- $5 policy_hash text: the policy of the day
UPDATE views.attention_tenants
SET day = $3, position = $4, policy_hash = $5
WHERE journal = $1 AND tenant = $2;
