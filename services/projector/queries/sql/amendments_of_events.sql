-- Everything that points at some events, and what points at that in turn (the void of a correction,
-- the void of an end), as known at a position.
-- x BETWEEN y AND y, in order: only the index that begins so gives that order without a sort, and
-- without statistics Postgres could not tell it from the others.
-- $1 journal text: the tenant's journal
-- $2 tenant text: the tenant
-- $3 targets uuid[]: the events
-- $4 known_at bigint: the position
WITH RECURSIVE found AS (
    SELECT direct.*
    FROM unnest($3::uuid[]) AS wanted (target)
    CROSS JOIN LATERAL (
        SELECT m.event_id, m.target, m.role, m.position, m.occurred_at_us, m.recorded_at_us,
               m.recorded_by, m.a, m.b, m.payload
        FROM views.amendments m
        WHERE m.journal = $1
          AND m.tenant = $2
          AND m.target BETWEEN wanted.target AND wanted.target
          AND m.position <= $4
        ORDER BY m.target
        OFFSET 0
    ) AS direct
    UNION
    SELECT further.*
    FROM found
    CROSS JOIN LATERAL (
        SELECT m.event_id, m.target, m.role, m.position, m.occurred_at_us, m.recorded_at_us,
               m.recorded_by, m.a, m.b, m.payload
        FROM views.amendments m
        WHERE m.journal = $1
          AND m.tenant = $2
          AND m.target BETWEEN found.event_id AND found.event_id
          AND m.position <= $4
        ORDER BY m.target
        OFFSET 0
    ) AS further
)
SELECT event_id, target, role, position, occurred_at_us, recorded_at_us, recorded_by, a, b, payload
FROM found;
