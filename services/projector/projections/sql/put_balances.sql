-- Writes the balances of raw pairs.
-- $1 journal text: the journal
-- $2 tenant text: and so on, one element a pair, joined by U+001F; arrays as their literals
-- $3 a text: the smaller person
-- $4 b text: the larger one
-- $5 policy_hash text: the policy of the buckets
-- $6 buckets text: exact buckets as JSON
-- $7 through_day text: an integer[], the first day they answer
-- $8 contact_days text: the days with counted contact, each as the text of an integer[]
INSERT INTO views.balances (
    journal, tenant, a, b, policy_hash, buckets, through_day, contact_days
)
SELECT $1, n.tenant, n.a, n.b, n.policy_hash, n.buckets, n.through_day, n.contact_days::integer[]
FROM unnest(
    string_to_array($2, E'\x1f'), string_to_array($3, E'\x1f'), string_to_array($4, E'\x1f'),
    string_to_array($5, E'\x1f'), string_to_array($6, E'\x1f'), $7::text::integer[],
    string_to_array($8, E'\x1f')
) AS n (tenant, a, b, policy_hash, buckets, through_day, contact_days)
ON CONFLICT (journal, tenant, a, b) DO UPDATE
SET policy_hash = excluded.policy_hash,
    buckets = excluded.buckets,
    through_day = excluded.through_day,
    contact_days = excluded.contact_days;
