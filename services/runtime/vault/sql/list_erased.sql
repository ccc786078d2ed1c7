-- A page of the erased subjects of one tenant or all, by (tenant, subject).
-- $1 text: tenant, or NULL for all
-- $2 text: tenant of the last row of the page before, '' at first
-- $3 text: subject of the last row of the page before, '' at first
-- $4 integer: rows at most
SELECT tenant, subject, erased_at, event_id
  FROM vault.erased_subjects
 WHERE ($1::text IS NULL OR tenant = $1)
   AND (tenant, subject) > ($2, $3)
 ORDER BY tenant, subject
 LIMIT $4
