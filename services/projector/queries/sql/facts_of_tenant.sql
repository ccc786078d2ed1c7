-- Facts of some types of a whole tenant, as known at a position, by home and position.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 types text[]: full names of the types
-- $4 known_at bigint: the position
SELECT f.event_id, f.type, f.position, f.occurred_at_us, f.recorded_by, f.payload
FROM views.other_facts f
WHERE f.journal = $1 AND f.tenant = $2 AND f.position <= $4 AND f.type = ANY ($3::text[])
ORDER BY f.home, f.position;
