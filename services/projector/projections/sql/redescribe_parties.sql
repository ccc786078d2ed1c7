-- Puts the description in force into the rows of parties: the highest (occurred_at, position) before
-- an instant that was not taken back.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a party
-- $3 party text[]: the party
-- $4 before_us bigint[]: the end of the tenant's day
UPDATE views.parties p
SET side = coalesce(n.side, 0),
    team = coalesce(n.team, ''),
    tier = coalesce(n.tier, ''),
    described_by = n.event_id
FROM (
    SELECT k.tenant, k.party, f.side, f.team, f.tier, f.event_id
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS k (tenant, party, before_us)
    LEFT JOIN LATERAL (
        SELECT d.side, d.team, d.tier, d.event_id
        FROM views.descriptions d
        WHERE d.journal = $1 AND d.tenant = k.tenant AND d.party = k.party
          AND d.occurred_at_us < k.before_us
          AND NOT EXISTS (
              SELECT
              FROM views.amendments m
              WHERE m.journal = $1 AND m.tenant = d.tenant AND m.target = d.event_id
                AND m.role = 'V'
          )
        ORDER BY d.occurred_at_us DESC, d.position DESC
        LIMIT 1
    ) AS f ON true
) AS n
CROSS JOIN LATERAL (
    SELECT q.ctid AS row FROM views.parties q
    WHERE q.journal = $1 AND q.tenant = n.tenant AND q.party = n.party
    OFFSET 0
) AS w
WHERE p.ctid = w.row;
