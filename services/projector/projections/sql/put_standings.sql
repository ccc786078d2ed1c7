-- Writes the standings of canonical pairs.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller canonical id
-- $4 b text[]: the larger one
-- $5 day integer[]: the day they hold for
-- $6 policy_hash text[]: the policy
-- $7 know_mp bigint[]: KNOW
-- $8 care_mp bigint[]: CARE
-- $9 buffer_mp bigint[]: the buffer
-- $10 contact_days integer[]: how many days with counted contact up to the day
-- $11 first_contact_day integer[]: the first of them, or null
-- $12 last_contact_day integer[]: the last of them, or null
INSERT INTO views.standings (
    journal, tenant, a, b, day, policy_hash, know_mp, care_mp, buffer_mp, contact_days,
    first_contact_day, last_contact_day
)
SELECT $1, n.tenant, n.a, n.b, n.day, n.policy_hash, n.know_mp, n.care_mp, n.buffer_mp,
       n.contact_days, n.first_contact_day, n.last_contact_day
FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::integer[], $11::integer[], $12::integer[]
) AS n (
    tenant, a, b, day, policy_hash, know_mp, care_mp, buffer_mp, contact_days, first_contact_day,
    last_contact_day
)
ON CONFLICT (journal, tenant, a, b) DO UPDATE
SET day = excluded.day,
    policy_hash = excluded.policy_hash,
    know_mp = excluded.know_mp,
    care_mp = excluded.care_mp,
    buffer_mp = excluded.buffer_mp,
    contact_days = excluded.contact_days,
    first_contact_day = excluded.first_contact_day,
    last_contact_day = excluded.last_contact_day;
