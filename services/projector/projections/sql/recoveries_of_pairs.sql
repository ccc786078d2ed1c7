-- The incidents and recovery steps of raw pairs in effect, as they stand.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller person
-- $4 b text[]: the larger one
SELECT t.tenant, t.a, t.b, t.event_id, t.position, t.now_occurred_at_us, t.payload,
       c.payload AS correction
FROM unnest($2::text[], $3::text[], $4::text[]) AS k (tenant, a, b)
CROSS JOIN LATERAL (
    SELECT * FROM views.touchpoints p
    WHERE p.journal = $1 AND p.tenant = k.tenant AND p.a = k.a AND p.b = k.b
      AND p.now_kind IN ('incident', 'recovery') AND p.state <> 3
    OFFSET 0
) AS t
LEFT JOIN LATERAL (
    SELECT m.payload FROM views.amendments m
    WHERE m.journal = $1 AND m.tenant = t.tenant AND m.event_id = t.corrected_by
    OFFSET 0
) AS c ON t.corrected_by IS NOT NULL;
