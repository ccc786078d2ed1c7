-- What the relationships of a tenant are worth together today: sums of the rounded figures of each.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 left_out_a text[]: the smaller person of each relationship that is not counted
-- $4 left_out_b text[]: the larger one
-- $5 contact_days integer: as much evidence a quadrant needs
-- $6 bound_mp bigint: of a quadrant; at the bound is high
SELECT count(*) AS relationships,
       coalesce(sum(s.know_mp), 0) AS know_mp,
       coalesce(sum(s.care_mp), 0) AS care_mp,
       coalesce(sum(s.buffer_mp), 0) AS buffer_mp,
       coalesce(sum(greatest(s.buffer_mp, 0)), 0) AS held_mp,
       count(*) FILTER (WHERE s.contact_days < $5) AS too_little_evidence,
       count(*) FILTER (
           WHERE s.contact_days >= $5 AND s.know_mp < $6 AND s.care_mp < $6
       ) AS neither,
       count(*) FILTER (
           WHERE s.contact_days >= $5 AND s.know_mp >= $6 AND s.care_mp < $6
       ) AS know,
       count(*) FILTER (
           WHERE s.contact_days >= $5 AND s.know_mp < $6 AND s.care_mp >= $6
       ) AS care,
       count(*) FILTER (
           WHERE s.contact_days >= $5 AND s.know_mp >= $6 AND s.care_mp >= $6
       ) AS both
FROM views.standings s
WHERE s.journal = $1
  AND s.tenant = $2
  AND (s.a, s.b) NOT IN (SELECT * FROM unnest($3::text[], $4::text[]));
