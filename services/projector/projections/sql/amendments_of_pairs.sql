-- The corrections and voids of the touchpoints of raw pairs, and the voids of those corrections;
-- a and b are the touchpoint's pair.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a pair
-- $3 a text[]: the smaller person
-- $4 b text[]: the larger one
WITH direct AS (
    SELECT t.tenant, t.a, t.b, m.event_id, m.target, m.role, m.position, m.payload
    FROM unnest($2::text[], $3::text[], $4::text[]) AS k (tenant, a, b)
    JOIN views.touchpoints t
      ON t.journal = $1 AND t.tenant = k.tenant AND t.a = k.a AND t.b = k.b
    JOIN views.amendments m
      ON m.journal = $1 AND m.tenant = t.tenant AND m.target = t.event_id
     AND m.role IN ('V', 'C')
)
SELECT d.tenant, d.a, d.b, d.event_id, d.target, d.role, d.position, d.payload
FROM direct d
UNION ALL
SELECT d.tenant, d.a, d.b, v.event_id, v.target, v.role, v.position, v.payload
FROM direct d
JOIN views.amendments v
  ON v.journal = $1 AND v.tenant = d.tenant AND v.target = d.event_id AND v.role = 'V'
WHERE d.role = 'C';
