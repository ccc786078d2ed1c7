-- Take the lock of a journal's relay, held until the connection ends; false when another holds it.
-- $1 journal text: the journal.
SELECT pg_try_advisory_lock(hashtextextended('rapport.relay/' || $1, 0))
