-- The events that the views of a journal keep, each once, by position.
-- $1 journal text: the journal
-- $2 after bigint: only those after this position
-- $3 through bigint: and up to this one
SELECT f.position, f.event_id, sha256(f.payload) AS payload_sha256
FROM (
    SELECT position, event_id, payload FROM views.touchpoints WHERE journal = $1
    UNION ALL
    SELECT position, event_id, payload FROM views.amendments WHERE journal = $1
    UNION ALL
    SELECT position, event_id, payload FROM views.descriptions WHERE journal = $1
    UNION ALL
    SELECT position, event_id, payload FROM views.links WHERE journal = $1
    UNION ALL
    SELECT position, event_id, payload FROM views.policies WHERE journal = $1
    UNION ALL
    SELECT position, event_id, payload FROM views.other_facts WHERE journal = $1
    UNION ALL
    SELECT position, event_id, payload FROM views.parked WHERE journal = $1
) AS f
WHERE f.position > $2 AND f.position <= $3
ORDER BY f.position;
