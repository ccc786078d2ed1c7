-- Puts an event aside, whole; with the new reason if it was parked before.
-- $1 journal text: the journal
-- $2 position bigint: position
-- $3 incarnation uuid: incarnation of the journal
-- $4 tenant text: the tenant
-- $5 event_id uuid: the event
-- $6 type text: full proto name
-- $7 home text: what it belongs to
-- $8 revision bigint: revision of its home
-- $9 kind text: kind of a touchpoint
-- $10 occurred_at_us bigint: valid time
-- $11 recorded_at_us bigint: transaction time
-- $12 recorded_by text: principal
-- $13 schema_version integer: version of the payload's schema
-- $14 payload bytea: the stored bytes
-- $15 reason text: why
INSERT INTO views.parked (
    journal, position, incarnation, tenant, event_id, type, home, revision, kind, occurred_at_us,
    recorded_at_us, recorded_by, schema_version, payload, reason
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (journal, position) DO UPDATE SET reason = excluded.reason;
