-- Append a group of requests, each with a verdict of its own; see the function's migration. Arrays
-- come as literals (services/runtime/literals.py), but for free text and payloads.
-- $1 journal text: the journal.
-- $2 request integer[]: number of each record's request.
-- $3 tenant text[]: of each record, as all arrays up to $19.
-- $4 recorded_by text[]: principals.
-- $5 verified boolean[]: whether they were authenticated.
-- $6 event_id uuid[]: different within a tenant.
-- $7 type text[]: full proto names.
-- $8 home text[]: homes.
-- $9 home_number integer[]: the home's place among those of $20 and $21, from 1.
-- $10 home_count integer[]: how many records up to this one have the home.
-- $11 kind text[]: NULL elements for other payloads than touchpoints.
-- $12 occurred_at_us bigint[]: NULL elements mean when it is recorded.
-- $13 expected_revision bigint[]: NULL elements mean any; NULL means any for all.
-- $14 correlation_id text[]: NULL elements for none; NULL for none at all.
-- $15 causation_id uuid[]: NULL elements for none; NULL for none at all.
-- $16 schema_version integer[]: versions.
-- $17 payload bytea[]: stored bytes.
-- $18 payload_sha256 bytea[]: their SHA-256.
-- $19 known_replay boolean[]: true elements are replays if stored; NULL means none.
-- $20 homes_tenant text[]: tenants of the different homes.
-- $21 homes text[]: the different homes.
-- $22 target_request integer[]: number of the request that relies on the target's absence.
-- $23 target_tenant text[]: its tenant.
-- $24 target uuid[]: event ids that were not found.
SELECT * FROM journal.append_group(
  $1,
  $2::text::integer[],
  $3::text::text[],
  $4::text::text[],
  $5::text::boolean[],
  $6::text::uuid[],
  $7::text::text[],
  $8::text::text[],
  $9::text::integer[],
  $10::text::integer[],
  $11::text::text[],
  $12::text::bigint[],
  $13::text::bigint[],
  $14,
  $15::text::uuid[],
  $16::text::integer[],
  $17,
  $18::text::bytea[],
  $19::text::boolean[],
  $20::text::text[],
  $21::text::text[],
  $22::text::integer[],
  $23::text::text[],
  $24::text::uuid[]
)
