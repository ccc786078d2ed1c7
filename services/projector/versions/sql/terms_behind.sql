-- How many tenants are built in the live version, and not yet beside.
SELECT count(*)
FROM views.tenants l
JOIN views_next.tenants n USING (journal, tenant)
WHERE l.built AND (NOT n.built OR n.day < l.day);
