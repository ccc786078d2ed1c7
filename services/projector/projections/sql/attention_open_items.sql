-- The items of a tenant that are open.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT item, person, rule, about, a, b, raised_on, at_stake_mp, why, numbers, event_ids, contacts,
       last_us, policy_hash
FROM views.attention_items
WHERE journal = $1 AND tenant = $2;
