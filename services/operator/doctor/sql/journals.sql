-- The journals, by name.
SELECT j.journal FROM journal.journals j ORDER BY j.journal
