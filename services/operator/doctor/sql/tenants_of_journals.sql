-- The tenants of some journals, by name.
-- $1 journals text[]: the journals
SELECT t.tenant, t.journal FROM journal.tenants t WHERE t.journal = ANY ($1) ORDER BY t.tenant
