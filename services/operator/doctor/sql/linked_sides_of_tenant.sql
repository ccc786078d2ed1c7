-- The sides of people that strong links of a tenant name, as last described, whatever the day.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT DISTINCT ON (d.party) d.party, d.side
  FROM views.descriptions d
 WHERE d.journal = $1 AND d.tenant = $2
   AND d.party IN (
           SELECT l.a FROM views.links l
            WHERE l.journal = $1 AND l.tenant = $2 AND l.strong
            UNION
           SELECT l.b FROM views.links l
            WHERE l.journal = $1 AND l.tenant = $2 AND l.strong
       )
   AND NOT EXISTS (
           SELECT
             FROM views.amendments m
            WHERE m.journal = $1 AND m.tenant = $2 AND m.target = d.event_id AND m.role = 'V'
       )
 ORDER BY d.party, d.occurred_at_us DESC, d.position DESC
