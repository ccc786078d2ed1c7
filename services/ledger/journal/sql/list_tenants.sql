-- List tenants by name.
-- $1 after text: only beyond this name; empty for the beginning.
-- $2 limit bigint: so many at most.
SELECT t.tenant, t.journal, t.created_at_us
  FROM journal.tenants t WHERE t.tenant > $1 ORDER BY t.tenant LIMIT $2
