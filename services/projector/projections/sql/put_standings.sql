-- Writes the standings of canonical pairs.
-- $1 journal text: the journal
-- $2 tenant text: and so on, one element a pair, joined by U+001F; numbers as literals of arrays
-- $3 a text: the smaller canonical id
-- $4 b text: the larger one
-- $5 day text: the day they hold for, integer
-- $6 policy_hash text: the policy
-- $7 know_mp text: KNOW, bigint
-- $8 care_mp text: CARE, bigint
-- $9 buffer_mp text: the buffer, bigint
-- $10 contact_days text: how many days with counted contact up to the day, integer
-- $11 first_contact_day text: the first of them, or null, integer
-- $12 last_contact_day text: the last of them, or null, integer
INSERT INTO views.standings (
    journal, tenant, a, b, day, policy_hash, know_mp, care_mp, buffer_mp, contact_days,
    first_contact_day, last_contact_day
)
SELECT $1, n.tenant, n.a, n.b, n.day, n.policy_hash, n.know_mp, n.care_mp, n.buffer_mp,
       n.contact_days, n.first_contact_day, n.last_contact_day
FROM unnest(
    string_to_array($2, E'\x1f'), string_to_array($3, E'\x1f'), string_to_array($4, E'\x1f'),
    $5::text::integer[], string_to_array($6, E'\x1f'), $7::text::bigint[], $8::text::bigint[],
    $9::text::bigint[], $10::text::integer[], $11::text::integer[], $12::text::integer[]
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
