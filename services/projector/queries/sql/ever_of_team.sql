-- Who was ever described as one of ours in a team, as known at a position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 team text: the team
-- $4 known_at bigint: the position
-- $5 limit bigint: at most so many rows
SELECT d.party
FROM (
    SELECT x.party
    FROM views.descriptions x
    WHERE x.journal = $1
      AND x.tenant = $2
      AND x.side = 1
      AND x.team BETWEEN $3 AND $3
      AND x.position <= $4
    ORDER BY x.team, x.party
    OFFSET 0
) AS d
GROUP BY d.party
LIMIT $5;
