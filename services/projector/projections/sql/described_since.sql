-- Whom the descriptions of a tenant describe that happened at an instant or later.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 since_us bigint: the instant
SELECT DISTINCT d.tenant, d.party
FROM views.descriptions d
WHERE d.journal = $1 AND d.tenant = $2 AND d.occurred_at_us >= $3;
