-- The ends and voids of links, and the voids of those ends. An end that names other people than its
-- link is wrong and left out.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a link
-- $3 event_id uuid[]: the link
WITH direct AS (
    SELECT m.tenant, m.event_id, m.target, m.role, m.position
    FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
    JOIN views.links l ON l.journal = $1 AND l.tenant = k.tenant AND l.event_id = k.event_id
    JOIN views.amendments m
      ON m.journal = $1 AND m.tenant = k.tenant AND m.target = k.event_id
    WHERE m.role = 'V' OR (m.role = 'E' AND m.a = l.a AND m.b = l.b)
)
SELECT d.tenant, d.event_id, d.target, d.role, d.position
FROM direct d
UNION ALL
SELECT v.tenant, v.event_id, v.target, v.role, v.position
FROM direct d
JOIN views.amendments v
  ON v.journal = $1 AND v.tenant = d.tenant AND v.target = d.event_id AND v.role = 'V'
WHERE d.role = 'E';
