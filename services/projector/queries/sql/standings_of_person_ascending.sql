-- A page of one person's relationships as they stand today, lowest first. What is sorted is one
-- person's share of the list, read from two indexes.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 person text: the canonical id
-- $4 order_by integer: 1 buffer, 2 CARE, 3 KNOW, 4 last contact
-- $5 after_key bigint: of the last one of the page before, what it is ordered by
-- $6 after_a text: its smaller person
-- $7 after_b text: its larger person
-- $8 limit bigint: at most so many rows
WITH mine AS (
    (
        SELECT x.*
        FROM views.standings x
        WHERE x.journal = $1 AND x.tenant = $2 AND x.a BETWEEN $3 AND $3
        ORDER BY x.a, x.b
        OFFSET 0
    )
    UNION ALL
    (
        SELECT x.*
        FROM views.standings x
        WHERE x.journal = $1 AND x.tenant = $2 AND x.b BETWEEN $3 AND $3
        ORDER BY x.b, x.a
        OFFSET 0
    )
), keyed AS (
    SELECT CASE $4::integer
               WHEN 1 THEN x.buffer_mp
               WHEN 2 THEN x.care_mp
               WHEN 3 THEN x.know_mp
               ELSE coalesce(x.last_contact_day, -2147483648)
           END AS sort_key,
           x.*
    FROM mine x
)
SELECT s.sort_key,
       s.a, s.b, s.know_mp, s.care_mp, s.buffer_mp, s.contact_days, s.first_contact_day,
       s.last_contact_day
FROM keyed s
WHERE (s.sort_key, s.a, s.b) > ($5::bigint, $6::text, $7::text)
ORDER BY s.sort_key, s.a, s.b
LIMIT $8;
