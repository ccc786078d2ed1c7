-- Every party that an event names or the read models have, by name: from which position on
-- (other_facts left out), and the description in force at the end of a day, beside what is noted.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
-- $3 before_us bigint: the end of the tenant's day
WITH named AS (
    SELECT n.party, min(n.position) AS position
      FROM (
        SELECT t.a AS party, t.position FROM views.touchpoints t
         WHERE t.journal = $1 AND t.tenant = $2
        UNION ALL
        SELECT t.b, t.position FROM views.touchpoints t WHERE t.journal = $1 AND t.tenant = $2
        UNION ALL
        SELECT m.a, m.position FROM views.amendments m
         WHERE m.journal = $1 AND m.tenant = $2 AND m.a IS NOT NULL
        UNION ALL
        SELECT m.b, m.position FROM views.amendments m
         WHERE m.journal = $1 AND m.tenant = $2 AND m.b IS NOT NULL
        UNION ALL
        SELECT l.a, l.position FROM views.links l WHERE l.journal = $1 AND l.tenant = $2
        UNION ALL
        SELECT l.b, l.position FROM views.links l WHERE l.journal = $1 AND l.tenant = $2
        UNION ALL
        SELECT d.party, d.position FROM views.descriptions d
         WHERE d.journal = $1 AND d.tenant = $2
      ) n
     GROUP BY n.party
), described AS (
    SELECT DISTINCT ON (d.party) d.party, d.side, d.team, d.tier, d.event_id
      FROM views.descriptions d
     WHERE d.journal = $1 AND d.tenant = $2 AND d.occurred_at_us < $3
       AND NOT EXISTS (
           SELECT FROM views.amendments m
            WHERE m.journal = $1 AND m.tenant = $2 AND m.target = d.event_id AND m.role = 'V'
       )
     ORDER BY d.party, d.occurred_at_us DESC, d.position DESC
)
SELECT coalesce(n.party, p.party) AS party, n.position AS named_position,
       p.party IS NOT NULL AS noted, p.first_position, p.erased,
       coalesce(d.side, 0) AS expected_side, coalesce(d.team, '') AS expected_team,
       coalesce(d.tier, '') AS expected_tier, d.event_id::text AS expected_described_by,
       p.side, p.team, p.tier, p.described_by::text AS described_by
  FROM named n
  FULL JOIN (SELECT * FROM views.parties WHERE journal = $1 AND tenant = $2) p
    ON p.party = n.party
  LEFT JOIN described d ON d.party = coalesce(n.party, p.party)
 ORDER BY 1
