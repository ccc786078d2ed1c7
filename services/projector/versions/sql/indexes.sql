-- The indexes of the live version's read models as statements for the schema beside, with their
-- constraints; primary keys first.
-- $1 tables text[]: the tables
-- $2 live text: the live schema
-- $3 beside text: the schema beside
SELECT c.relname AS index, t.relname AS table, x.indisprimary AS primary_key,
       CASE WHEN k.oid IS NULL
           THEN replace(pg_get_indexdef(c.oid), format(' ON %I.', $2::text), format(' ON %I.', $3::text))
           ELSE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $3::text, t.relname, k.conname,
                       pg_get_constraintdef(k.oid))
       END AS statement
FROM pg_index x
JOIN pg_class c ON c.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u')
WHERE n.nspname = $2 AND t.relname = ANY ($1::text[])
  AND NOT EXISTS (
      SELECT FROM pg_class m
      JOIN pg_namespace s ON s.oid = m.relnamespace
      WHERE s.nspname = $3 AND m.relname = c.relname
  )
ORDER BY x.indisprimary DESC, t.relname, c.relname;
