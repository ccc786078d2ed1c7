-- The tenants of a journal.
-- $1 journal text: the journal
SELECT t.tenant FROM views.tenants t WHERE t.journal = $1 ORDER BY t.tenant;
