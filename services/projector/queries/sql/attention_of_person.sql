-- The open items of a human, most at stake first.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 person text: the canonical id
SELECT i.item, i.person, i.rule, i.about, i.a, i.b, i.raised_on, i.at_stake_mp, i.why, i.numbers,
       i.event_ids, i.contacts, i.last_us, i.policy_hash
FROM views.attention_items i
WHERE i.journal = $1 AND i.tenant = $2 AND i.person = $3
ORDER BY i.at_stake_mp DESC, i.item DESC;
