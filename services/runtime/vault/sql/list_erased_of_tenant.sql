-- A page of the erased subjects of one tenant, by subject.
-- $1 text: tenant
-- $2 text: subject of the last row of the page before, '' at first
-- $3 integer: rows at most
SELECT tenant, subject, erased_at, event_id
  FROM vault.erased_subjects
 WHERE tenant = $1 AND subject > $2
 ORDER BY subject
 LIMIT $3
