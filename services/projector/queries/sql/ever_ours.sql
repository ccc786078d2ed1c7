-- Who was ever described as one of ours, as known at a position: by an index of our people alone.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 known_at bigint: the position
-- $4 limit bigint: at most so many rows
SELECT DISTINCT d.party
FROM views.descriptions d
WHERE d.journal = $1 AND d.tenant = $2 AND d.side = 1 AND d.position <= $3
LIMIT $4;
