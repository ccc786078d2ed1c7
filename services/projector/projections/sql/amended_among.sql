-- Which of some touchpoints were amended before they arrived.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint
-- $3 event_id uuid[]: the touchpoint
SELECT DISTINCT m.tenant, m.target
FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
CROSS JOIN LATERAL (
    SELECT a.tenant, a.target FROM views.amendments a
    WHERE a.journal = $1 AND a.tenant = k.tenant AND a.target = k.event_id
      AND a.role IN ('V', 'C')
    OFFSET 0
) AS m;
