-- Adds descriptions of parties.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a description
-- $3 party text[]: the party
-- $4 occurred_at_us bigint[]: valid time
-- $5 position bigint[]: position
-- $6 event_id uuid[]: the event
-- $7 recorded_at_us bigint[]: transaction time
-- $8 recorded_by text[]: principal
-- $9 side smallint[]: the side, 0 for none
-- $10 team text[]: the team
-- $11 tier text[]: the tier
-- $12 payload bytea[]: the stored bytes
INSERT INTO views.descriptions (
    journal, tenant, party, occurred_at_us, position, event_id, recorded_at_us, recorded_by, side,
    team, tier, payload
)
SELECT $1, n.tenant, n.party, n.occurred_at_us, n.position, n.event_id, n.recorded_at_us,
       n.recorded_by, n.side, n.team, n.tier, n.payload
FROM unnest(
    $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::uuid[], $7::bigint[], $8::text[],
    $9::smallint[], $10::text[], $11::text[], $12::bytea[]
) AS n (
    tenant, party, occurred_at_us, position, event_id, recorded_at_us, recorded_by, side, team,
    tier, payload
);
