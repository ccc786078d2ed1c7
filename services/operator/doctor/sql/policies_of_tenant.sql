-- The policies a tenant adopted, and whether each was taken back.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT p.position, p.policy_json, p.hash,
       EXISTS (
           SELECT FROM views.amendments m
            WHERE m.journal = $1 AND m.tenant = $2 AND m.target = p.event_id AND m.role = 'V'
       ) AS voided
  FROM views.policies p
 WHERE p.journal = $1 AND p.tenant = $2
 ORDER BY p.position
