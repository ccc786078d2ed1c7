-- The schemas that hold versions of the read models, with what was noted of them and their bytes.
SELECT n.nspname AS schema,
       coalesce(obj_description(n.oid, 'pg_namespace'), '') AS note,
       coalesce((
           SELECT sum(pg_total_relation_size(c.oid))
           FROM pg_class c
           WHERE c.relnamespace = n.oid AND c.relkind = 'r'
       ), 0)::bigint AS bytes
FROM pg_namespace n
WHERE n.nspname ~ '^views(_next|_old_[0-9]+)?$'
ORDER BY n.oid;
