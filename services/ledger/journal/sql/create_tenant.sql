-- Create a tenant in a journal; no row when there is one of that name.
-- $1 tenant text: its name.
-- $2 journal text: the journal it is pinned to.
INSERT INTO journal.tenants AS t (tenant, journal, created_at_us)
VALUES ($1, $2, journal.now_us())
ON CONFLICT (tenant) DO NOTHING
RETURNING t.tenant, t.journal, t.created_at_us
