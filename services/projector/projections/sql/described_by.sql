-- Whom some events describe.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element an event
-- $3 event_id uuid[]: the event
SELECT DISTINCT d.tenant, d.party
FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
CROSS JOIN LATERAL (
    SELECT s.tenant, s.party FROM views.descriptions s
    WHERE s.journal = $1 AND s.tenant = k.tenant AND s.event_id = k.event_id
    OFFSET 0
) AS d;
