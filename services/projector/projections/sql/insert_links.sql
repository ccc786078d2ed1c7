-- Adds identity links.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a link
-- $3 event_id uuid[]: the event
-- $4 position bigint[]: position
-- $5 recorded_at_us bigint[]: transaction time
-- $6 a text[]: the smaller id
-- $7 b text[]: the larger one
-- $8 strong boolean[]: whether it makes one human of them
-- $9 payload bytea[]: the stored bytes
INSERT INTO views.links (
    journal, tenant, event_id, position, recorded_at_us, a, b, strong, payload
)
SELECT $1, n.tenant, n.event_id, n.position, n.recorded_at_us, n.a, n.b, n.strong, n.payload
FROM unnest(
    $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::boolean[],
    $9::bytea[]
) AS n (tenant, event_id, position, recorded_at_us, a, b, strong, payload);
