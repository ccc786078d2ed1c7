-- The events of a journal in order.
-- $1 journal text: the journal
-- $2 from_position bigint: the first
SELECT e.journal, e.position, e.tenant, e.event_id::text AS event_id, e.type, e.home, e.revision,
       e.kind, e.occurred_at_us, e.recorded_at_us, e.recorded_by, e.verified,
       coalesce(e.correlation_id, '') AS correlation_id,
       coalesce(e.causation_id::text, '') AS causation_id,
       e.schema_version, e.payload, e.payload_sha256
  FROM journal.events e
 WHERE e.journal = $1 AND e.position >= $2
 ORDER BY e.position
