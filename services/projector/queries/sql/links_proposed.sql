-- A page of a tenant's weak links, oldest position first.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 after bigint: the position of the last one of the page before
-- $4 limit bigint: at most so many rows
-- $5 known_at bigint: links up to this position
SELECT l.event_id, l.position, l.a, l.b, l.strong, l.payload
FROM views.links l
WHERE l.journal = $1 AND l.tenant = $2 AND NOT l.strong AND l.position > $3 AND l.position <= $5
ORDER BY l.position
LIMIT $4;
