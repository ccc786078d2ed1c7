-- The tenants of a journal that are not turned through a day yet; day is null for those never turned.
-- $1 journal text: the journal
-- $2 day integer: the day
SELECT t.tenant, a.day
FROM views.tenants t
LEFT JOIN views.attention_tenants a ON a.journal = t.journal AND a.tenant = t.tenant
WHERE t.journal = $1 AND (a.day IS NULL OR a.day < $2)
ORDER BY t.tenant;
