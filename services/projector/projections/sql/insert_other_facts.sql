-- Adds facts without views of their own.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a fact
-- $3 home text[]: what it belongs to
-- $4 position bigint[]: position
-- $5 event_id uuid[]: the event
-- $6 type text[]: full proto name
-- $7 occurred_at_us bigint[]: valid time
-- $8 recorded_at_us bigint[]: transaction time
-- $9 recorded_by text[]: principal
-- $10 payload bytea[]: the stored bytes
INSERT INTO views.other_facts (
    journal, tenant, home, position, event_id, type, occurred_at_us, recorded_at_us, recorded_by,
    payload
)
SELECT $1, n.tenant, n.home, n.position, n.event_id, n.type, n.occurred_at_us, n.recorded_at_us,
       n.recorded_by, n.payload
FROM unnest(
    $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[],
    $9::text[], $10::bytea[]
) AS n (
    tenant, home, position, event_id, type, occurred_at_us, recorded_at_us, recorded_by, payload
);
