-- How far the read models of a journal are; no row before its first event.
-- $1 journal text: the journal
SELECT c.incarnation::text AS incarnation, c.position, c.recorded_at_us
  FROM views.checkpoints c
 WHERE c.journal = $1
