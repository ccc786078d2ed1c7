-- What ends the strong links of a tenant or takes them or their ends back. An end that names other
-- people than its link has no effect and is left out.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
WITH direct AS (
    SELECT m.event_id, m.target, m.role, m.position
      FROM views.links l
      JOIN views.amendments m
        ON m.journal = $1 AND m.tenant = $2 AND m.target = l.event_id
     WHERE l.journal = $1 AND l.tenant = $2 AND l.strong
       AND (m.role = 'V' OR (m.role = 'E' AND m.a = l.a AND m.b = l.b))
)
SELECT d.event_id::text AS event_id, d.target::text AS target, d.role::text AS role, d.position
  FROM direct d
UNION ALL
SELECT v.event_id::text, v.target::text, v.role::text, v.position
  FROM direct d
  JOIN views.amendments v
    ON v.journal = $1 AND v.tenant = $2 AND v.target = d.event_id AND v.role = 'V'
 WHERE d.role = 'E'
