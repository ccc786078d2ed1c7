-- The day a tenant is turned through, locked until the transaction ends.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT day FROM views.attention_tenants WHERE journal = $1 AND tenant = $2 FOR UPDATE;
