-- Some standings of a tenant that are not of its day and policy. Days only go forward. The order is
-- that of the index: without one the planner reads everything, hoping to meet stale rows soon.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 day integer: its day
-- $4 policy_hash text: its policy
-- $5 limit bigint: at most so many
(
    SELECT s.a, s.b FROM views.standings s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.day < $3
    ORDER BY s.day, s.policy_hash
    LIMIT $5
)
UNION ALL
(
    SELECT s.a, s.b FROM views.standings s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.day = $3 AND s.policy_hash < $4
    ORDER BY s.day, s.policy_hash
    LIMIT $5
)
UNION ALL
(
    SELECT s.a, s.b FROM views.standings s
    WHERE s.journal = $1 AND s.tenant = $2 AND s.day = $3 AND s.policy_hash > $4
    ORDER BY s.day, s.policy_hash
    LIMIT $5
)
LIMIT $5;
