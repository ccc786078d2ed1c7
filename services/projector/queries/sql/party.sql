-- A party that any event names up to a position, with the description in force at an instant, if any.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 party text: its name
-- $4 before_us bigint: described before this instant, microseconds since 2000-01-01
-- $5 known_at bigint: the position
SELECT p.party, p.erased, d.event_id AS described_by, d.payload
FROM views.parties p
LEFT JOIN LATERAL (
    SELECT d.event_id, d.payload
    FROM views.descriptions d
    WHERE d.journal = $1
      AND d.tenant = $2
      AND d.party = p.party
      AND d.occurred_at_us < $4
      AND d.position <= $5
      AND (
          SELECT m.position
          FROM views.amendments m
          WHERE m.journal = $1
            AND m.tenant = $2
            AND m.target BETWEEN d.event_id AND d.event_id
            AND m.role = 'V'
            AND m.position <= $5
          ORDER BY m.target
          LIMIT 1
      ) IS NULL
    ORDER BY d.occurred_at_us DESC, d.position DESC
    LIMIT 1
) AS d ON true
WHERE p.journal = $1 AND p.tenant = $2 AND p.party = $3 AND p.first_position <= $5;
