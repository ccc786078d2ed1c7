-- Changes of a journal's log from a number on, in order.
-- $1 journal text: the journal
-- $2 from_number bigint: the first
-- $3 limit bigint: at most so many
SELECT number, tenant, item, raised, rule, person, on_day, recorded_at_us, payload
FROM views.attention_log
WHERE journal = $1 AND number >= $2
ORDER BY number
LIMIT $3;
