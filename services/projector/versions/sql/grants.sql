-- Who may do what with a live table, and how it is stored, as statements for the one beside; its owner
-- first.
-- $1 table text: the table
-- $2 live text: the live schema
-- $3 beside text: the schema beside
SELECT format('ALTER TABLE %I.%I OWNER TO %I', $3::text, $1::text, pg_get_userbyid(c.relowner)) AS statement
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $2 AND c.relname = $1
UNION ALL
SELECT format('ALTER TABLE %I.%I SET (%s)', $3::text, $1::text, array_to_string(c.reloptions, ', '))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $2 AND c.relname = $1 AND c.reloptions IS NOT NULL
UNION ALL
SELECT format('GRANT %s ON %I.%I TO %I', g.privilege_type, $3::text, $1::text, pg_get_userbyid(g.grantee))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) AS g
WHERE n.nspname = $2 AND c.relname = $1 AND g.grantee <> c.relowner AND g.grantee <> 0;
