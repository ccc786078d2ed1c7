-- Which of some touchpoints were amended before they arrived.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint
-- $3 event_id uuid[]: the touchpoint
SELECT DISTINCT m.tenant, m.target
FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
JOIN views.amendments m
  ON m.journal = $1 AND m.tenant = k.tenant AND m.target = k.event_id AND m.role IN ('V', 'C');
