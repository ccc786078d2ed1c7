-- Notes the last position of every instant of recording.
-- $1 journal text: the journal
-- $2 recorded_at_us bigint[]: the instants, each once
-- $3 position bigint[]: the last position recorded at each
INSERT INTO views.ticks (journal, recorded_at_us, position)
SELECT $1, n.recorded_at_us, n.position
FROM unnest($2::bigint[], $3::bigint[]) AS n (recorded_at_us, position)
ON CONFLICT (journal, recorded_at_us)
DO UPDATE SET position = greatest(ticks.position, excluded.position);
