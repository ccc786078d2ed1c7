-- The events of a range, in order, whole.
-- $1 journal text: the journal
-- $2 from_position bigint: the first
-- $3 through_position bigint: the last
SELECT e.journal, e.position, e.revision, e.occurred_at_us, e.recorded_at_us,
       e.event_id::text AS event_id, e.schema_version, e.verified, e.tenant, e.type, e.home,
       e.kind, e.recorded_by, e.correlation_id, e.causation_id::text AS causation_id,
       e.payload_sha256, e.payload
  FROM journal.events e
 WHERE e.journal = $1 AND e.position BETWEEN $2 AND $3
 ORDER BY e.position
