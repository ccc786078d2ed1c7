-- Writes changes to a journal's log.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 on_day integer: the day
-- $4 recorded_at_us bigint: when they are written
-- $5 number bigint[]: and so on, one element a change
-- $6 item text[]: the item
-- $7 raised boolean[]: else cleared
-- $8 rule text[]: its rule
-- $9 person text[]: for whom
-- $10 payload bytea[]: the message
INSERT INTO views.attention_log (
    journal, number, tenant, item, raised, rule, person, on_day, recorded_at_us, payload
)
SELECT $1, n.number, $2, n.item, n.raised, n.rule, n.person, $3, $4, n.payload
FROM unnest($5::bigint[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::bytea[])
    AS n (number, item, raised, rule, person, payload);
