-- Adds adopted policies.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a policy
-- $3 position bigint[]: position
-- $4 event_id uuid[]: the event
-- $5 recorded_at_us bigint[]: transaction time
-- $6 name text[]: its name
-- $7 version integer[]: its version
-- $8 hash text[]: its hash
-- $9 effective_from integer[]: the day from which it holds
-- $10 policy_json text[]: the document
-- $11 payload bytea[]: the stored bytes
INSERT INTO views.policies (
    journal, tenant, position, event_id, recorded_at_us, name, version, hash, effective_from,
    policy_json, payload
)
SELECT $1, n.tenant, n.position, n.event_id, n.recorded_at_us, n.name, n.version, n.hash,
       n.effective_from, n.policy_json, n.payload
FROM unnest(
    $2::text[], $3::bigint[], $4::uuid[], $5::bigint[], $6::text[], $7::integer[], $8::text[],
    $9::integer[], $10::text[], $11::bytea[]
) AS n (
    tenant, position, event_id, recorded_at_us, name, version, hash, effective_from, policy_json,
    payload
);
