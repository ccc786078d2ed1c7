-- How far the standings of the tenants of a journal are: rows of the tenant's day and policy, and
-- all rows, for tenants that are not there yet.
-- $1 journal text: the journal
SELECT t.tenant,
       count(s.a) FILTER (WHERE s.day = t.day AND s.policy_hash = t.policy_hash) AS done,
       count(s.a) AS total
FROM views.tenants t
LEFT JOIN views.standings s ON s.journal = t.journal AND s.tenant = t.tenant
WHERE t.journal = $1 AND NOT t.built
GROUP BY t.tenant
ORDER BY t.tenant;
