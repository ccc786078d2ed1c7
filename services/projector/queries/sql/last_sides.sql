-- The sides of some people as last described, whatever the day, as known at a position: those that the
-- last description names.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 people text[]: the people
-- $4 known_at bigint: the position
SELECT d.party, d.side
FROM unnest($3::text[]) AS wanted (person)
CROSS JOIN LATERAL (
    SELECT x.party, x.side
    FROM views.descriptions x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.party = wanted.person
      AND x.position <= $4
      AND (
          SELECT m.position
          FROM views.amendments m
          WHERE m.journal = $1
            AND m.tenant = $2
            AND m.target BETWEEN x.event_id AND x.event_id
            AND m.role = 'V'
            AND m.position <= $4
          ORDER BY m.target
          LIMIT 1
      ) IS NULL
    ORDER BY x.occurred_at_us DESC, x.position DESC
    LIMIT 1
) AS d
WHERE d.side <> 0;
