-- A page of the erased subjects of all tenants, by (tenant, subject).
-- $1 text: tenant of the last row of the page before, '' at first
-- $2 text: subject of the last row of the page before, '' at first
-- $3 integer: rows at most
SELECT tenant, subject, erased_at, event_id
  FROM vault.erased_subjects
 WHERE (tenant, subject) > ($1, $2)
 ORDER BY tenant, subject
 LIMIT $3
