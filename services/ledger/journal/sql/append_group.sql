-- Append a group of requests, each with a verdict of its own; see the function's migration.
-- $1 journal text: the journal.
-- $2 request integer[]: number of each record's request.
-- $3 tenant text[]: of each record, as all arrays up to $18.
-- $4 recorded_by text[]: principals.
-- $5 verified boolean[]: whether they were authenticated.
-- $6 event_id uuid[]: different within a tenant.
-- $7 type text[]: full proto names.
-- $8 home text[]: homes.
-- $9 kind text[]: NULL elements for other payloads than touchpoints.
-- $10 occurred_at_us bigint[]: NULL elements mean when it is recorded.
-- $11 expected_revision bigint[]: NULL elements mean any; NULL means any for all.
-- $12 correlation_id text[]: NULL elements for none.
-- $13 causation_id uuid[]: NULL elements for none.
-- $14 schema_version integer[]: versions.
-- $15 payload bytea[]: stored bytes.
-- $16 payload_sha256 bytea[]: their SHA-256.
-- $17 known_replay boolean[]: true elements are replays if stored; NULL means none.
-- $18 target_request integer[]: number of the request that relies on the target's absence.
-- $19 target_tenant text[]: its tenant.
-- $20 target uuid[]: event ids that were not found.
SELECT * FROM journal.append_group(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
)
