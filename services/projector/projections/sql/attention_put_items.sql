-- Keeps items that are open, as of the day.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 item text[]: and so on, one element an item
-- $4 person text[]: for whom
-- $5 rule text[]: by which rule
-- $6 about text[]: a relationship or a party
-- $7 a text[]: the smaller canonical id, null about a party
-- $8 b text[]: the larger one
-- $9 raised_on integer[]: the day it was raised
-- $10 at_stake_mp bigint[]: what waiting costs
-- $11 why text[]: the sentence
-- $12 numbers text[]: JSON of the figures
-- $13 event_ids text[]: the events behind it, as the text of an array
-- $14 contacts integer[]: counted contacts it was computed with
-- $15 last_us bigint[]: the latest of them, null for none
-- $16 policy_hash text[]: the policy
INSERT INTO views.attention_items
SELECT $1, $2, n.item, n.person, n.rule, n.about, n.a, n.b, n.raised_on, n.at_stake_mp, n.why,
       n.numbers, n.event_ids::uuid[], n.contacts, n.last_us, n.policy_hash
FROM unnest(
    $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
    $10::bigint[], $11::text[], $12::text[], $13::text[], $14::integer[], $15::bigint[], $16::text[]
) AS n (item, person, rule, about, a, b, raised_on, at_stake_mp, why, numbers, event_ids, contacts,
        last_us, policy_hash)
ON CONFLICT (journal, tenant, item) DO UPDATE
SET at_stake_mp = excluded.at_stake_mp,
    why = excluded.why,
    numbers = excluded.numbers,
    event_ids = excluded.event_ids,
    contacts = excluded.contacts,
    last_us = excluded.last_us,
    policy_hash = excluded.policy_hash;
