-- The touchpoints of raw pairs, as recorded.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller person
-- $4 b text[]: the larger one
SELECT t.tenant, t.a, t.b, t.event_id, t.position, t.occurred_at_us, t.payload
FROM unnest($2::text[], $3::text[], $4::text[]) AS k (tenant, a, b)
CROSS JOIN LATERAL (
    SELECT * FROM views.touchpoints p
    WHERE p.journal = $1 AND p.tenant = k.tenant AND p.a = k.a AND p.b = k.b
    OFFSET 0
) AS t;
