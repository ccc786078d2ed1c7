-- Some touchpoints as recorded, and as they stand until they are restated.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint
-- $3 event_id uuid[]: the touchpoint
SELECT t.tenant, t.a, t.b, t.event_id, t.position, t.occurred_at_us, t.now_occurred_at_us,
       t.payload, t.state = 3 AS voided, c.payload AS correction
FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
CROSS JOIN LATERAL (
    SELECT * FROM views.touchpoints p
    WHERE p.journal = $1 AND p.tenant = k.tenant AND p.event_id = k.event_id
    OFFSET 0
) AS t
LEFT JOIN LATERAL (
    SELECT m.payload FROM views.amendments m
    WHERE m.journal = $1 AND m.tenant = t.tenant AND m.event_id = t.corrected_by
    OFFSET 0
) AS c ON t.corrected_by IS NOT NULL;
