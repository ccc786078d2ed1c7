-- The journals, by name.
SELECT j.journal, j.head, j.detached_through FROM journal.journals j ORDER BY j.journal
