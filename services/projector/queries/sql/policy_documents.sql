-- The documents of some adopted policies.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 positions bigint[]: where they were adopted
SELECT p.hash, p.policy_json
FROM views.policies p
WHERE p.journal = $1 AND p.tenant = $2 AND p.position = ANY ($3::bigint[]);
