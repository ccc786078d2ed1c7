-- How far the live version is, journal by journal.
SELECT c.journal, c.incarnation::text AS incarnation, c.position FROM views.checkpoints c ORDER BY c.journal;
