-- Read a tenant.
-- $1 tenant text: its name.
SELECT t.tenant, t.journal, t.created_at_us FROM journal.tenants t WHERE t.tenant = $1
