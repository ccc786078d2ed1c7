-- Every tier some people were described with before an instant, as known at a position, empty for none.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
-- $4 before_us bigint: described before this instant, microseconds since 2000-01-01
-- $5 known_at bigint: the position
SELECT d.party, d.occurred_at_us, d.position, d.tier
FROM unnest($3::text[]) AS wanted (person)
CROSS JOIN LATERAL (
    SELECT x.party, x.occurred_at_us, x.position, x.tier
    FROM views.descriptions x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.party = wanted.person
      AND x.occurred_at_us < $4
      AND x.position <= $5
      AND (
          SELECT m.position
          FROM views.amendments m
          WHERE m.journal = $1
            AND m.tenant = $2
            AND m.target BETWEEN x.event_id AND x.event_id
            AND m.role = 'V'
            AND m.position <= $5
          ORDER BY m.target
          LIMIT 1
      ) IS NULL
    ORDER BY x.occurred_at_us, x.position
) AS d;
