-- The sides of some people as last described, whatever the day: those that the last description names.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a person
-- $3 person text[]: the person
SELECT d.tenant, d.party, d.side
FROM unnest($2::text[], $3::text[]) AS k (tenant, person)
CROSS JOIN LATERAL (
    SELECT s.tenant, s.party, s.side FROM views.descriptions s
    WHERE s.journal = $1 AND s.tenant = k.tenant AND s.party = k.person
      AND NOT EXISTS (
          SELECT
          FROM views.amendments m
          WHERE m.journal = $1 AND m.tenant = s.tenant AND m.target = s.event_id
            AND m.role = 'V'
      )
    ORDER BY s.occurred_at_us DESC, s.position DESC
    LIMIT 1
) AS d
WHERE d.side <> 0;
