-- The journals, by name.
SELECT j.journal, j.head FROM journal.journals j ORDER BY j.journal
