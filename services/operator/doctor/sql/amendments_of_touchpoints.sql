-- The voids and corrections of some touchpoints, and the voids of those corrections; `about` is the
-- touchpoint.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 event_ids uuid[]: the touchpoints
WITH direct AS (
    SELECT m.target AS about, m.event_id, m.target, m.role, m.position, m.payload
      FROM views.amendments m
     WHERE m.journal = $1 AND m.tenant = $2 AND m.target = ANY ($3::uuid[])
       AND m.role IN ('V', 'C')
)
SELECT d.about::text AS about, d.event_id::text AS event_id, d.target::text AS target,
       d.role::text AS role, d.position, d.payload
  FROM direct d
UNION ALL
SELECT d.about::text, v.event_id::text, v.target::text, v.role::text, v.position, v.payload
  FROM direct d
  JOIN views.amendments v
    ON v.journal = $1 AND v.tenant = $2 AND v.target = d.event_id AND v.role = 'V'
 WHERE d.role = 'C'
