-- Adds touchpoints, each standing as it was recorded: for a few; many go by COPY.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint
-- $3 event_id uuid[]: the event
-- $4 a text[]: the smaller person
-- $5 b text[]: the larger one
-- $6 position bigint[]: position
-- $7 occurred_at_us bigint[]: valid time
-- $8 recorded_at_us bigint[]: transaction time
-- $9 recorded_by text[]: principal
-- $10 payload bytea[]: the stored bytes
-- $11 initiator text[]: who began it
-- $12 kind text[]: kind
-- $13 channel text[]: channel
-- $14 initiative smallint[]: the number of rapport.events.v1.Initiative, 0 for the kind's default
-- $15 resolves uuid[]: the incident, or null
-- $16 occasion uuid[]: the occasion, or null
INSERT INTO views.touchpoints (
    journal, tenant, event_id, a, b, position, occurred_at_us, recorded_at_us, recorded_by, payload,
    now_occurred_at_us, now_initiator, now_kind, now_channel, now_initiative, now_resolves,
    now_occasion
)
SELECT $1, n.tenant, n.event_id, n.a, n.b, n.position, n.occurred_at_us, n.recorded_at_us,
       n.recorded_by, n.payload, n.occurred_at_us, n.initiator, n.kind, n.channel, n.initiative,
       n.resolves, n.occasion
FROM unnest(
    $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::bytea[], $11::text[], $12::text[], $13::text[], $14::smallint[], $15::uuid[],
    $16::uuid[]
) AS n (
    tenant, event_id, a, b, position, occurred_at_us, recorded_at_us, recorded_by, payload,
    initiator, kind, channel, initiative, resolves, occasion
);
