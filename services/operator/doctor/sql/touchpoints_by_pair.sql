-- The touchpoints of a tenant with how they stand now, pair by pair.
-- $1 journal text: the journal
-- $2 tenant text: the tenant
SELECT t.a, t.b, t.event_id::text AS event_id, t.position, t.occurred_at_us, t.payload, t.state,
       t.now_occurred_at_us, t.now_initiator, t.now_kind, t.now_channel, t.now_initiative,
       t.now_resolves::text AS now_resolves, t.corrected_by::text AS corrected_by,
       t.voided_by::text AS voided_by, t.now_occasion::text AS now_occasion
  FROM views.touchpoints t
 WHERE t.journal = $1 AND t.tenant = $2
 ORDER BY t.a, t.b
