-- Some balances of a tenant that are not of its policy and that no standing leads to: both ends are
-- one human.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 policy_hash text: its policy
-- $4 limit bigint: at most so many
SELECT s.a, s.b
FROM views.identities i
CROSS JOIN LATERAL (
    SELECT o.person FROM views.identities o
    WHERE o.journal = $1 AND o.tenant = $2 AND o.canonical = i.canonical AND o.person > i.person
    OFFSET 0
) AS o
CROSS JOIN LATERAL (
    SELECT b.a, b.b FROM views.balances b
    WHERE b.journal = $1 AND b.tenant = $2 AND b.a = i.person AND b.b = o.person
      AND b.policy_hash <> $3
    OFFSET 0
) AS s
WHERE i.journal = $1 AND i.tenant = $2
LIMIT $4;
