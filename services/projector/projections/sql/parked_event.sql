-- A parked event.
-- $1 journal text: the journal
-- $2 position bigint: position
SELECT p.journal, p.position, p.incarnation, p.tenant, p.event_id, p.type, p.home, p.revision,
       p.kind, p.occurred_at_us, p.recorded_at_us, p.recorded_by, p.schema_version, p.payload
FROM views.parked p
WHERE p.journal = $1 AND p.position = $2;
