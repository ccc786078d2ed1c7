-- Some balances of a tenant that are not of its policy.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 policy_hash text: its policy
-- $4 limit bigint: at most so many
(
    SELECT s.a, s.b FROM views.balances s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.policy_hash < $3
    LIMIT $4
)
UNION ALL
(
    SELECT s.a, s.b FROM views.balances s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.policy_hash > $3
    LIMIT $4
)
LIMIT $4;
