-- How many events a journal has from a position on, and their first and last position.
-- $1 journal text: the journal
-- $2 from_position bigint: what stayed of detached events before it does not count
SELECT count(*) AS events, min(e.position) AS first_position, max(e.position) AS last_position
  FROM journal.events e
 WHERE e.journal = $1 AND e.position >= $2
