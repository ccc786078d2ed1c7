-- Says for which day and policy the standings of tenants are to hold.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a tenant
-- $3 day integer[]: the day
-- $4 policy_hash text[]: the policy
-- $5 built boolean[]: whether all of them do already
INSERT INTO views.tenants (journal, tenant, day, policy_hash, built)
SELECT $1, n.tenant, n.day, n.policy_hash, n.built
FROM unnest($2::text[], $3::integer[], $4::text[], $5::boolean[])
    AS n (tenant, day, policy_hash, built)
ON CONFLICT (journal, tenant) DO UPDATE
SET day = excluded.day,
    policy_hash = excluded.policy_hash,
    built = excluded.built;
