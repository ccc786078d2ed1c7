-- A page of the tenant's relationships as they stand today, lowest first.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 after_key integer: of the last one of the page before: its last contact
-- $4 after_a text: its smaller person
-- $5 after_b text: its larger person
-- $6 limit bigint: at most so many rows
SELECT coalesce(s.last_contact_day, -2147483648) AS sort_key,
       s.a, s.b, s.know_mp, s.care_mp, s.buffer_mp, s.contact_days, s.first_contact_day,
       s.last_contact_day
FROM views.standings s
WHERE s.journal = $1
  AND s.tenant = $2
  AND (coalesce(s.last_contact_day, -2147483648), s.a, s.b) > ($3, $4, $5)
ORDER BY coalesce(s.last_contact_day, -2147483648), s.a, s.b
LIMIT $6;
