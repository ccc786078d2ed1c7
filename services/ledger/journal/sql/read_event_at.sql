-- Read the event at a position.
-- $1 journal text: the journal.
-- $2 position bigint: the position.
SELECT e.journal, e.position, e.tenant, e.event_id, e.type, e.home, e.revision, e.kind,
       e.occurred_at_us, e.recorded_at_us, e.recorded_by, e.verified,
       e.correlation_id, e.causation_id, e.schema_version, e.payload, e.payload_sha256
  FROM journal.events e WHERE e.journal = $1 AND e.position = $2
