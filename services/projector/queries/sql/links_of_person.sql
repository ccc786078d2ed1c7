-- A page of the links that name a person, weak ones too, oldest position first.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 person text: the person
-- $4 after bigint: the position of the last one of the page before
-- $5 limit bigint: at most so many rows
-- $6 known_at bigint: links up to this position
WITH mine AS (
    (
        SELECT l.event_id, l.position, l.a, l.b, l.strong, l.payload
        FROM views.links l
        WHERE l.journal = $1
          AND l.tenant = $2
          AND l.a BETWEEN $3 AND $3
          AND (l.a, l.position) > ($3, $4::bigint)
          AND l.position <= $6
        ORDER BY l.a, l.position
        LIMIT $5
    )
    UNION ALL
    (
        SELECT l.event_id, l.position, l.a, l.b, l.strong, l.payload
        FROM views.links l
        WHERE l.journal = $1
          AND l.tenant = $2
          AND l.b BETWEEN $3 AND $3
          AND (l.b, l.position) > ($3, $4::bigint)
          AND l.position <= $6
        ORDER BY l.b, l.position
        LIMIT $5
    )
)
SELECT mine.* FROM mine ORDER BY mine.position LIMIT $5;
