-- Every description of a tenant, as known at a position, by party, texts left out.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 known_at bigint: the position
SELECT d.event_id, d.party, d.position, d.occurred_at_us, d.side, d.team, d.tier
FROM views.descriptions d
WHERE d.journal = $1 AND d.tenant = $2 AND d.position <= $3
ORDER BY d.party, d.occurred_at_us, d.position;
