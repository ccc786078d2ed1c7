-- The first position at which events and their keys disagree; no row when they agree.
-- $1 journal text: the journal
-- $2 from_position bigint: what is before it is detached but for a few
SELECT coalesce(e.position, k.position) AS position,
       e.position IS NOT NULL AS has_event,
       k.position IS NOT NULL AS has_key,
       k.position AS key_position,
       array_remove(ARRAY[
         CASE WHEN e.position <> k.position THEN 'position' END,
         CASE WHEN e.home <> k.home THEN 'home' END,
         CASE WHEN e.revision <> k.revision THEN 'revision' END,
         CASE WHEN e.recorded_at_us <> k.recorded_at_us THEN 'recorded_at' END,
         CASE WHEN e.occurred_at_us <> k.occurred_at_us THEN 'occurred_at' END,
         CASE WHEN e.schema_version <> k.schema_version THEN 'schema_version' END,
         CASE WHEN e.type <> k.type THEN 'type' END,
         CASE WHEN e.payload_sha256 <> k.payload_sha256 THEN 'payload_sha256' END
       ], NULL) AS fields
  FROM (SELECT * FROM journal.events WHERE journal = $1 AND position >= $2) e
  FULL JOIN (SELECT * FROM journal.event_keys WHERE journal = $1 AND position >= $2) k
    ON k.tenant = e.tenant AND k.event_id = e.event_id
 WHERE e.position IS NULL OR k.position IS NULL
    OR (e.position, e.home, e.revision, e.recorded_at_us, e.occurred_at_us, e.schema_version,
        e.type, e.payload_sha256)
       IS DISTINCT FROM
       (k.position, k.home, k.revision, k.recorded_at_us, k.occurred_at_us, k.schema_version,
        k.type, k.payload_sha256)
 ORDER BY 1
 LIMIT 1
