-- The people of the strong links that some ends and voids may touch: their targets, and what their
-- targets end.
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
      ON m.journal = $1 AND m.tenant = n.tenant AND m.event_id = n.target AND m.role = 'E'
)
SELECT l.tenant, l.a, l.b
FROM candidates c
JOIN views.links l
  ON l.journal = $1 AND l.tenant = c.tenant AND l.event_id = c.target AND l.strong;
