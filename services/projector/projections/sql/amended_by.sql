-- The touchpoints whose standing some voids and corrections may change: their targets, and what
-- their targets correct.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element an amendment
-- $3 target uuid[]: what it points at
WITH named AS (
    SELECT k.tenant, k.target FROM unnest($2::text[], $3::uuid[]) AS k (tenant, target)
), candidates AS (
    SELECT tenant, target FROM named
    UNION
    SELECT m.tenant, m.target
    FROM named n
    JOIN views.amendments m
      ON m.journal = $1 AND m.tenant = n.tenant AND m.event_id = n.target AND m.role = 'C'
)
SELECT t.tenant, t.a, t.b, t.event_id
FROM candidates c
JOIN views.touchpoints t
  ON t.journal = $1 AND t.tenant = c.tenant AND t.event_id = c.target;
