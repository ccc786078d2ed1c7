-- How many events a journal has, and their first and last position.
-- $1 journal text: the journal
SELECT count(*) AS events, min(e.position) AS first_position, max(e.position) AS last_position
  FROM journal.events e
 WHERE e.journal = $1
