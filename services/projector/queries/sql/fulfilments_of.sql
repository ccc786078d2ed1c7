-- Which touchpoints say, or once said, that they fulfil some promises or needs, as known at a
-- position.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 targets uuid[]: the promises and needs
-- $4 known_at bigint: the position
SELECT DISTINCT f.event_id
FROM unnest($3::uuid[]) AS wanted (target)
CROSS JOIN LATERAL (
    SELECT x.event_id
    FROM views.fulfilments x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.target BETWEEN wanted.target AND wanted.target
      AND x.position <= $4
    ORDER BY x.target, x.position
    OFFSET 0
) AS f;
