-- Adds what touchpoints say they fulfil.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element a touchpoint or correction
-- $3 target uuid[]: the promise or need
-- $4 position bigint[]: of who says so
-- $5 event_id uuid[]: the touchpoint, the original's id
INSERT INTO views.fulfilments (journal, tenant, target, position, event_id)
SELECT $1, n.tenant, n.target, n.position, n.event_id
FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::uuid[])
    AS n (tenant, target, position, event_id);
