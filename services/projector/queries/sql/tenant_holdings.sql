-- In whose hands the relationships of a tenant are today, by `rank`: 1 of ours by buffer, 2 of the
-- others by buffer, 3 of ours by CARE; and 0 the first by name of whom no side is known.
-- A human's side is that of the smallest of the ids that have one. parties says it as of the day.
-- Each end is added up by itself first, and the best are picked without numbering all: on 100,000
-- relationships that takes a third of the time. A side is looked up human by human, by index.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 left_out_a text[]: the smaller person of each relationship that is not counted
-- $4 left_out_b text[]: the larger one
-- $5 limit bigint: at most so many of each
WITH ends AS (
    (
        SELECT s.a AS person, sum(s.know_mp) AS know_mp, sum(s.care_mp) AS care_mp,
               sum(s.buffer_mp) AS buffer_mp, sum(greatest(s.buffer_mp, 0)) AS held_mp,
               count(*) AS relationships
        FROM views.standings s
        WHERE s.journal = $1
          AND s.tenant = $2
          AND (s.a, s.b) NOT IN (SELECT * FROM unnest($3::text[], $4::text[]))
        GROUP BY s.a
    )
    UNION ALL
    (
        SELECT s.b AS person, sum(s.know_mp) AS know_mp, sum(s.care_mp) AS care_mp,
               sum(s.buffer_mp) AS buffer_mp, sum(greatest(s.buffer_mp, 0)) AS held_mp,
               count(*) AS relationships
        FROM views.standings s
        WHERE s.journal = $1
          AND s.tenant = $2
          AND (s.a, s.b) NOT IN (SELECT * FROM unnest($3::text[], $4::text[]))
        GROUP BY s.b
    )
), held AS (
    SELECT e.person,
           sum(e.know_mp) AS know_mp,
           sum(e.care_mp) AS care_mp,
           sum(e.buffer_mp) AS buffer_mp,
           sum(e.held_mp) AS held_mp,
           sum(e.relationships) AS relationships
    FROM ends e
    GROUP BY e.person
), sided AS MATERIALIZED (
    SELECT h.*, coalesce(d.side, 0) AS side
    FROM held h
    LEFT JOIN LATERAL (
        SELECT f.side
        FROM (
            SELECT h.person AS id
            UNION ALL
            SELECT i.person
            FROM views.identities i
            WHERE i.journal = $1 AND i.tenant = $2 AND i.canonical = h.person
        ) AS m
        CROSS JOIN LATERAL (
            SELECT p.side
            FROM views.parties p
            WHERE p.journal = $1
              AND p.tenant = $2
              AND p.party BETWEEN m.id AND m.id
              AND p.side IN (1, 2)
            ORDER BY p.party
            LIMIT 1
        ) AS f
        ORDER BY m.id
        LIMIT 1
    ) AS d ON true
)
(SELECT 1 AS rank, h.* FROM sided h WHERE h.side = 1 ORDER BY h.buffer_mp DESC, h.person LIMIT $5)
UNION ALL
(SELECT 2 AS rank, h.* FROM sided h WHERE h.side = 2 ORDER BY h.buffer_mp DESC, h.person LIMIT $5)
UNION ALL
(SELECT 3 AS rank, h.* FROM sided h WHERE h.side = 1 ORDER BY h.care_mp DESC, h.person LIMIT $5)
UNION ALL
(SELECT 0 AS rank, h.* FROM sided h WHERE h.side = 0 ORDER BY h.person LIMIT $5);
