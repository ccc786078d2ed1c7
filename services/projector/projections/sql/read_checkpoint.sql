-- How far the views of a journal are, and how many of its events are parked.
-- $1 journal text: the journal
SELECT c.incarnation,
       c.position,
       c.recorded_at_us,
       (
           SELECT count(*) FROM views.parked p
           WHERE p.journal = $1 AND NOT EXISTS (
               SELECT FROM views.discarded d
               WHERE d.journal = p.journal AND d.position = p.position AND d.event_id = p.event_id
           )
       ) AS parked
FROM views.checkpoints c
WHERE c.journal = $1;
