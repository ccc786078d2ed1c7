-- A page of keys that the named master key does not wrap, by (tenant, subject).
-- $1 text: id of the current master key
-- $2 text: tenant of the last row of the page before, '' at first
-- $3 text: subject of the last row of the page before, '' at first
-- $4 integer: rows at most
SELECT tenant, subject, wrapped_key, master_key_id
  FROM vault.subject_keys
 WHERE master_key_id <> $1
   AND (tenant, subject) > ($2, $3)
 ORDER BY tenant, subject
 LIMIT $4
