-- Moves the checkpoint of a journal, locked before, and notes the last position of every instant of
-- recording on the way.
-- $1 journal text: the journal
-- $2 position bigint: the last event applied
-- $3 recorded_at_us bigint: when that was recorded
-- $4 tick_recorded_at_us bigint[]: the instants, each once
-- $5 tick_position bigint[]: the last position recorded at each
WITH noted AS (
    INSERT INTO views.ticks (journal, recorded_at_us, position)
    SELECT $1, n.recorded_at_us, n.position
    FROM unnest($4::bigint[], $5::bigint[]) AS n (recorded_at_us, position)
    ON CONFLICT (journal, recorded_at_us)
    DO UPDATE SET position = greatest(ticks.position, excluded.position)
)
UPDATE views.checkpoints SET position = $2, recorded_at_us = $3 WHERE journal = $1;
