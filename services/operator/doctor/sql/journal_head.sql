-- The head of a journal now.
-- $1 journal text: the journal
SELECT j.head FROM journal.journals j WHERE j.journal = $1
