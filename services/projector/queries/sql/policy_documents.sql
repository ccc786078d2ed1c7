-- The documents of some adopted policies.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 positions bigint[]: where they were adopted
SELECT p.hash, p.policy_json
FROM unnest($3::bigint[]) AS adopted (position)
CROSS JOIN LATERAL (
    SELECT x.hash, x.policy_json
    FROM views.policies x
    WHERE x.journal = $1 AND x.tenant = $2 AND x.position = adopted.position
    LIMIT 1
) AS p;
