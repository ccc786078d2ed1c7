-- Facts of some types at home with some parties, as known at a position, oldest position first.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 homes text[]: the parties
-- $4 types text[]: full names of the types
-- $5 known_at bigint: the position
SELECT f.event_id, f.type, f.position, f.occurred_at_us, f.recorded_at_us, f.recorded_by,
       f.payload
FROM unnest($3::text[]) AS wanted (home)
CROSS JOIN LATERAL (
    SELECT x.event_id, x.type, x.position, x.occurred_at_us, x.recorded_at_us, x.recorded_by,
           x.payload
    FROM views.other_facts x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.home BETWEEN wanted.home AND wanted.home
      AND x.position <= $5
      AND x.type = ANY ($4::text[])
    ORDER BY x.home, x.position
    OFFSET 0
) AS f;
