-- How many changes the log of a journal has; no row before the first.
-- $1 journal text: the journal
SELECT incarnation, last_number FROM views.attention_journals WHERE journal = $1;
