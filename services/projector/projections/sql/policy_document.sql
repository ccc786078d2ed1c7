-- The document of an adopted policy.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 position bigint: its PolicyAdopted
SELECT p.policy_json
FROM views.policies p
WHERE p.journal = $1 AND p.tenant = $2 AND p.position = $3;
