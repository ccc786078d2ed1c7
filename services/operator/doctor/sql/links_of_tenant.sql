-- The strong links of a tenant.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT l.event_id::text AS event_id, l.position, l.a, l.b
  FROM views.links l
 WHERE l.journal = $1 AND l.tenant = $2 AND l.strong
