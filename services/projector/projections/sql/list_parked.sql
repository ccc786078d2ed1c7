-- The parked events, by journal and position; without their payloads.
-- $1 journal text: only of this journal; of all, if empty
-- $2 limit bigint: at most so many
SELECT p.journal, p.position, p.tenant, p.event_id, p.type, p.reason, p.parked_at,
       d.reason AS discarded_because, d.discarded_by
FROM views.parked p
LEFT JOIN views.discarded d
    ON d.journal = p.journal AND d.position = p.position AND d.event_id = p.event_id
WHERE $1 = '' OR p.journal = $1
ORDER BY p.journal, p.position
LIMIT $2;
