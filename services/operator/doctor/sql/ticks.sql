-- The last position of every instant of recording, in order.
-- $1 journal text: the journal
-- $2 from_us bigint: the first instant
SELECT t.recorded_at_us, t.position
  FROM views.ticks t
 WHERE t.journal = $1 AND t.recorded_at_us >= $2
 ORDER BY t.recorded_at_us
