-- Every event as the read models keep it, in order. `details`: what its table adds to the envelope,
-- and what it is looked up by elsewhere.
-- $1 journal text: the journal
-- $2 from_position bigint: the first
SELECT f.position, f.source, f.tenant, f.event_id::text AS event_id, f.occurred_at_us,
       f.recorded_at_us, f.recorded_by, f.details, f.payload_sha256
  FROM (
    SELECT t.position, 'touchpoints' AS source, t.tenant, t.event_id, t.occurred_at_us,
           t.recorded_at_us, t.recorded_by, ARRAY[t.a, t.b, r.target::text]::text[] AS details,
           sha256(t.payload) AS payload_sha256
      FROM views.touchpoints t
      LEFT JOIN views.fulfilments r ON r.journal = t.journal AND r.position = t.position
     WHERE t.journal = $1 AND t.position >= $2
    UNION ALL
    SELECT t.position, 'amendments', t.tenant, t.event_id, t.occurred_at_us, t.recorded_at_us,
           t.recorded_by, ARRAY[t.target::text, t.role::text, t.a, t.b, r.target::text],
           sha256(t.payload)
      FROM views.amendments t
      LEFT JOIN views.fulfilments r ON r.journal = t.journal AND r.position = t.position
     WHERE t.journal = $1 AND t.position >= $2
    UNION ALL
    SELECT t.position, 'descriptions', t.tenant, t.event_id, t.occurred_at_us, t.recorded_at_us,
           t.recorded_by, ARRAY[t.party, t.side::text, t.team, t.tier], sha256(t.payload)
      FROM views.descriptions t WHERE t.journal = $1 AND t.position >= $2
    UNION ALL
    SELECT t.position, 'links', t.tenant, t.event_id, NULL, t.recorded_at_us, NULL,
           ARRAY[t.a, t.b, t.strong::text], sha256(t.payload)
      FROM views.links t WHERE t.journal = $1 AND t.position >= $2
    UNION ALL
    SELECT t.position, 'policies', t.tenant, t.event_id, NULL, t.recorded_at_us, NULL,
           ARRAY[t.name, t.version::text, t.hash, t.effective_from::text, t.policy_json],
           sha256(t.payload)
      FROM views.policies t WHERE t.journal = $1 AND t.position >= $2
    UNION ALL
    SELECT t.position, 'other_facts', t.tenant, t.event_id, t.occurred_at_us, t.recorded_at_us,
           t.recorded_by, ARRAY[t.home, t.type, r.organization], sha256(t.payload)
      FROM views.other_facts t
      LEFT JOIN views.affiliations r ON r.journal = t.journal AND r.position = t.position
     WHERE t.journal = $1 AND t.position >= $2
    UNION ALL
    SELECT t.position, 'parked', t.tenant, t.event_id, t.occurred_at_us, t.recorded_at_us,
           t.recorded_by, ARRAY[t.home, t.type], sha256(t.payload)
      FROM views.parked t WHERE t.journal = $1 AND t.position >= $2
  ) f
 ORDER BY f.position
