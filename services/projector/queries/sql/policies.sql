-- The policies a tenant had adopted, and not taken back, as known at a position; oldest first.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 known_at bigint: the position
SELECT p.position, p.event_id, p.name, p.version, p.hash, p.effective_from
FROM views.policies p
WHERE p.journal = $1
  AND p.tenant = $2
  AND p.position <= $3
  AND (
      SELECT m.position
      FROM views.amendments m
      WHERE m.journal = $1
        AND m.tenant = $2
        AND m.target BETWEEN p.event_id AND p.event_id
        AND m.role = 'V'
        AND m.position <= $3
      ORDER BY m.target
      LIMIT 1
  ) IS NULL
ORDER BY p.position;
