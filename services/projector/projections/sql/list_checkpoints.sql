-- The journals that have views.
SELECT c.journal FROM views.checkpoints c ORDER BY c.journal;
