-- The standings of a tenant, pair by pair.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT s.a, s.b, s.day, s.policy_hash, s.know_mp, s.care_mp, s.buffer_mp, s.contact_days,
       s.first_contact_day, s.last_contact_day
  FROM views.standings s
 WHERE s.journal = $1 AND s.tenant = $2
 ORDER BY s.a, s.b
