-- The strongest and the weakest relationships of a tenant today, by buffer, then by a and b.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 left_out_a text[]: the smaller person of each relationship that is not counted
-- $4 left_out_b text[]: the larger one
-- $5 limit bigint: at most so many of each
WITH held AS NOT MATERIALIZED (
    SELECT s.a, s.b, s.know_mp, s.care_mp, s.buffer_mp, s.contact_days, s.first_contact_day,
           s.last_contact_day
    FROM views.standings s
    WHERE s.journal = $1
      AND s.tenant = $2
      AND (s.a, s.b) NOT IN (SELECT * FROM unnest($3::text[], $4::text[]))
)
(SELECT true AS strong, h.* FROM held h ORDER BY h.buffer_mp DESC, h.a, h.b LIMIT $5)
UNION ALL
(SELECT false AS strong, h.* FROM held h ORDER BY h.buffer_mp, h.a, h.b LIMIT $5);
