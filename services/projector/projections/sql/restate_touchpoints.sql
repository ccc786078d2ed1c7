-- Says how touchpoints stand now, after what amends them.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint
-- $3 event_id uuid[]: the touchpoint
-- $4 state smallint[]: 1 effective, 2 corrected, 3 voided
-- $5 occurred_at_us bigint[]: as it stands
-- $6 initiator text[]: as it stands
-- $7 kind text[]: as it stands
-- $8 channel text[]: as it stands
-- $9 initiative smallint[]: as it stands
-- $10 resolves uuid[]: as it stands, or null
-- $11 corrected_by uuid[]: the correction in force, or null
-- $12 voided_by uuid[]: the first void, or null
-- $13 occasion uuid[]: as it stands, or null
UPDATE views.touchpoints t
SET state = n.state,
    now_occurred_at_us = n.occurred_at_us,
    now_initiator = n.initiator,
    now_kind = n.kind,
    now_channel = n.channel,
    now_initiative = n.initiative,
    now_resolves = n.resolves,
    corrected_by = n.corrected_by,
    voided_by = n.voided_by,
    now_occasion = n.occasion
FROM unnest(
    $2::text[], $3::uuid[], $4::smallint[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::smallint[], $10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[]
) AS n (
    tenant, event_id, state, occurred_at_us, initiator, kind, channel, initiative, resolves,
    corrected_by, voided_by, occasion
)
CROSS JOIN LATERAL (
    SELECT p.ctid AS row FROM views.touchpoints p
    WHERE p.journal = $1 AND p.tenant = n.tenant AND p.event_id = n.event_id
    OFFSET 0
) AS f
WHERE t.ctid = f.row;
