-- The strong links that lead from some people to further ids, ended or not, as known at a position.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: where to start
-- $4 known_at bigint: the position
WITH RECURSIVE reached (person) AS (
    SELECT wanted.person COLLATE "C" FROM unnest($3::text[]) AS wanted (person)
    UNION
    SELECT near.person
    FROM reached
    CROSS JOIN LATERAL (
        (
            SELECT l.b AS person
            FROM views.links l
            WHERE l.journal = $1
              AND l.tenant = $2
              AND l.strong
              AND l.a BETWEEN reached.person AND reached.person
              AND l.position <= $4
            ORDER BY l.a
            OFFSET 0
        )
        UNION ALL
        (
            SELECT l.a
            FROM views.links l
            WHERE l.journal = $1
              AND l.tenant = $2
              AND l.strong
              AND l.b BETWEEN reached.person AND reached.person
              AND l.position <= $4
            ORDER BY l.b
            OFFSET 0
        )
    ) AS near
)
SELECT of_person.event_id, of_person.position, of_person.a, of_person.b
FROM reached
CROSS JOIN LATERAL (
    SELECT l.event_id, l.position, l.a, l.b
    FROM views.links l
    WHERE l.journal = $1
      AND l.tenant = $2
      AND l.strong
      AND l.a BETWEEN reached.person AND reached.person
      AND l.position <= $4
    ORDER BY l.a
    OFFSET 0
) AS of_person;
