-- The payloads of some descriptions, sealed as stored.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 event_ids uuid[]: their event ids
SELECT d.event_id, d.payload
FROM views.descriptions d
WHERE d.journal = $1 AND d.tenant = $2 AND d.event_id = ANY ($3::uuid[]);
