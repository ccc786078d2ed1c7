-- How far the version being built is, journal by journal.
SELECT c.journal, c.position FROM views_next.checkpoints c ORDER BY c.journal;
