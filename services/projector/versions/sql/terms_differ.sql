-- How many tenants are not built in both versions, or not for the same day and policy. What differs
-- there differs for a while.
SELECT count(*)
FROM views.tenants l
JOIN views_next.tenants n USING (journal, tenant)
WHERE NOT l.built OR NOT n.built OR l.day <> n.day OR l.policy_hash <> n.policy_hash;
