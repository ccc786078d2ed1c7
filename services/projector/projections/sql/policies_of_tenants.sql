-- The policies that tenants adopted and did not take back.
-- $1 journal text: the journal
-- $2 tenants text[]: the tenants
SELECT p.tenant, p.position, p.hash
FROM views.policies p
WHERE p.journal = $1
  AND p.tenant = ANY ($2::text[])
  AND NOT EXISTS (
      SELECT
      FROM views.amendments m
      WHERE m.journal = $1 AND m.tenant = p.tenant AND m.target = p.event_id AND m.role = 'V'
  );
