-- Whom some events describe.
-- $1 journal text: the journal
-- $2 tenant text[]: and so on, one element an event
-- $3 event_id uuid[]: the event
SELECT DISTINCT d.tenant, d.party
FROM unnest($2::text[], $3::uuid[]) AS k (tenant, event_id)
JOIN views.descriptions d
  ON d.journal = $1 AND d.tenant = k.tenant AND d.event_id = k.event_id;
