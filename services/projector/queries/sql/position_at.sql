-- The last position recorded at an instant or before; no row when nothing was.
-- $1 journal text: the tenant's journal
-- $2 recorded_at_us bigint: the instant, microseconds since 2000-01-01
SELECT position
FROM views.ticks
WHERE journal = $1 AND recorded_at_us <= $2
ORDER BY recorded_at_us DESC
LIMIT 1;
