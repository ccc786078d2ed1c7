-- Read the events in a range of positions, the last one first, until their payloads come
-- to $7 bytes: the event that reaches them is the last. `bytes_so_far` says whether that cut the
-- range short.
-- $1 journal text: the journal.
-- $2 from_position bigint: the lowest position.
-- $3 through_position bigint: the highest position.
-- $4 tenant text: only this tenant's; NULL for all.
-- $5 types text[]: only these; NULL for all.
-- $6 kinds text[]: only touchpoints of these; NULL for all.
-- $7 bytes_max bigint: bytes of payload.
SELECT * FROM (
  SELECT e.journal, e.position, e.tenant, e.event_id, e.type, e.home, e.revision, e.kind,
         e.occurred_at_us, e.recorded_at_us, e.recorded_by, e.verified,
         e.correlation_id, e.causation_id, e.schema_version, e.payload, e.payload_sha256,
         sum(octet_length(e.payload)) OVER (ORDER BY e.position DESC ROWS UNBOUNDED PRECEDING)
           AS bytes_so_far
    FROM journal.events e
   WHERE e.journal = $1 AND e.position BETWEEN $2 AND $3
     AND ($4::text IS NULL OR e.tenant = $4)
     AND ($5::text[] IS NULL OR e.type = ANY ($5))
     AND ($6::text[] IS NULL OR e.kind = ANY ($6))
) read
 WHERE read.bytes_so_far - octet_length(read.payload) < $7
 ORDER BY read.position DESC
