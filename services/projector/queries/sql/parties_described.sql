-- A page of parties by name, as described on a day, as known at a position: every party is looked at,
-- in order, until the page is full.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 after text: the last name of the page before, or where a kind of names begins
-- $4 until text: names before this one only
-- $5 side smallint: only this Side; 0 for all
-- $6 tier text: only this tier; empty for all
-- $7 team text: only this team; empty for all
-- $8 limit bigint: at most so many rows
-- $9 before_us bigint: described before this instant, microseconds since 2000-01-01
-- $10 known_at bigint: the position
SELECT p.party, p.erased, d.event_id AS described_by, coalesce(d.bytes, 0) AS bytes
FROM views.parties p
LEFT JOIN LATERAL (
    SELECT x.event_id, x.side, x.tier, x.team, octet_length(x.payload) AS bytes
    FROM views.descriptions x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.party = p.party
      AND x.occurred_at_us < $9
      AND x.position <= $10
      AND (
          SELECT m.position
          FROM views.amendments m
          WHERE m.journal = $1
            AND m.tenant = $2
            AND m.target BETWEEN x.event_id AND x.event_id
            AND m.role = 'V'
            AND m.position <= $10
          ORDER BY m.target
          LIMIT 1
      ) IS NULL
    ORDER BY x.occurred_at_us DESC, x.position DESC
    LIMIT 1
) AS d ON true
WHERE p.journal = $1
  AND p.tenant = $2
  AND p.party > $3
  AND p.party < $4
  AND p.first_position <= $10
  AND ($5::smallint = 0 OR d.side = $5::smallint)
  AND ($6::text = '' OR d.tier = $6::text)
  AND ($7::text = '' OR d.team = $7::text)
ORDER BY p.party
LIMIT $8;
