-- How many events of a journal have a key.
-- $1 journal text: the journal
SELECT count(*) FROM journal.event_keys k WHERE k.journal = $1
