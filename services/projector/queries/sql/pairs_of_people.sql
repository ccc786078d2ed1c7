-- The raw pairs some people are in; a pair between two of them is there twice.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
-- $4 limit bigint: at most so many rows
(
    SELECT s.a, s.b
    FROM unnest($3::text[]) AS member (person)
    CROSS JOIN LATERAL (
        SELECT x.a, x.b
        FROM views.balances x
        WHERE x.journal = $1
          AND x.tenant = $2
          AND x.a BETWEEN member.person AND member.person
        ORDER BY x.a, x.b
        OFFSET 0
    ) AS s
    UNION ALL
    SELECT s.a, s.b
    FROM unnest($3::text[]) AS member (person)
    CROSS JOIN LATERAL (
        SELECT x.a, x.b
        FROM views.balances x
        WHERE x.journal = $1
          AND x.tenant = $2
          AND x.b BETWEEN member.person AND member.person
        ORDER BY x.b, x.a
        OFFSET 0
    ) AS s
)
LIMIT $4;
