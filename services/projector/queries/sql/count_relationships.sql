-- How many relationships the tenant's list holds, and how many of them for a day and policy.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 day integer: the day
-- $4 policy_hash text: the policy
SELECT count(*) AS total,
       count(*) FILTER (WHERE s.day = $3 AND s.policy_hash = $4) AS done
FROM views.standings s
WHERE s.journal = $1 AND s.tenant = $2;
