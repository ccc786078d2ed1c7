-- How many tenants' standings are still being brought to their day and policy.
-- $1 journal text: the journal
SELECT count(*) FROM views.tenants t WHERE t.journal = $1 AND NOT t.built
