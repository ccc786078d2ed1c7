-- The standings of a tenant, by a and b.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 limit bigint: at most so many rows
SELECT s.a, s.b, s.know_mp, s.care_mp, s.buffer_mp, s.contact_days, s.first_contact_day,
       s.last_contact_day
FROM views.standings s
WHERE s.journal = $1 AND s.tenant = $2
ORDER BY s.a, s.b
LIMIT $3;
