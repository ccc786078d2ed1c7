-- Read the events of a home in a range of revisions, the last one first, until their
-- payloads come to $8 bytes: the event that reaches them is the last. `bytes_so_far` says whether
-- that cut the range short.
-- $1 journal text: the journal.
-- $2 tenant text: the tenant.
-- $3 home text: the home.
-- $4 from_revision bigint: the lowest revision.
-- $5 through_revision bigint: the highest revision.
-- $6 types text[]: only these; NULL for all.
-- $7 kinds text[]: only touchpoints of these; NULL for all.
-- $8 bytes_max bigint: bytes of payload.
SELECT * FROM (
  SELECT e.*, k.revision AS key_revision,
         sum(octet_length(e.payload)) OVER (ORDER BY k.revision DESC ROWS UNBOUNDED PRECEDING)
           AS bytes_so_far
    FROM journal.event_keys k
   -- OFFSET 0: one lookup a key, whatever the planner would rather do.
   CROSS JOIN LATERAL (
     SELECT e.journal, e.position, e.tenant, e.event_id, e.type, e.home, e.revision, e.kind,
            e.occurred_at_us, e.recorded_at_us, e.recorded_by, e.verified,
            e.correlation_id, e.causation_id, e.schema_version, e.payload, e.payload_sha256
       FROM journal.events e
      WHERE e.journal = $1 AND e.position = k.position
     OFFSET 0
   ) e
   WHERE k.journal = $1 AND k.tenant = $2 AND k.home = $3
     AND k.revision BETWEEN $4 AND $5
     AND ($6::text[] IS NULL OR e.type = ANY ($6))
     AND ($7::text[] IS NULL OR e.kind = ANY ($7))
) read
 WHERE read.bytes_so_far - octet_length(read.payload) < $8
 ORDER BY read.key_revision DESC
