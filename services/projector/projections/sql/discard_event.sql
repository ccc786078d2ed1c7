-- Notes that a parked event is done without, and why; nothing where it is not parked.
-- $1 journal text: the journal
-- $2 position bigint: its position
-- $3 reason text: why
-- $4 discarded_by text: who decided
INSERT INTO views.discarded (journal, position, event_id, reason, discarded_by)
SELECT p.journal, p.position, p.event_id, $3, $4
FROM views.parked p
WHERE p.journal = $1 AND p.position = $2
ON CONFLICT (journal, position, event_id) DO NOTHING
RETURNING event_id;
