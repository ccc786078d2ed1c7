-- A tenant whose standings have to be brought to a day or a policy; no row when all are there.
-- $1 journal text: the journal
-- $2 today integer: the day
SELECT t.tenant
FROM views.tenants t
WHERE t.journal = $1 AND (t.day < $2 OR NOT t.built)
ORDER BY t.tenant
LIMIT 1;
