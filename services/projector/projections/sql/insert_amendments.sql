-- Adds what points at other events.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element an amendment
-- $3 event_id uuid[]: the event
-- $4 target uuid[]: what it points at
-- $5 role text[]: V, C or E
-- $6 position bigint[]: position
-- $7 occurred_at_us bigint[]: valid time
-- $8 recorded_at_us bigint[]: transaction time
-- $9 recorded_by text[]: principal
-- $10 a text[]: one party of a correction or an end, or null
-- $11 b text[]: the other one, or null
-- $12 payload bytea[]: the stored bytes
INSERT INTO views.amendments (
    journal, tenant, event_id, target, role, position, occurred_at_us, recorded_at_us, recorded_by,
    a, b, payload
)
SELECT $1, n.tenant, n.event_id, n.target, n.role, n.position, n.occurred_at_us, n.recorded_at_us,
       n.recorded_by, n.a, n.b, n.payload
FROM unnest(
    $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::text[], $11::text[], $12::bytea[]
) AS n (
    tenant, event_id, target, role, position, occurred_at_us, recorded_at_us, recorded_by, a, b,
    payload
);
